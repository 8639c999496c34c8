plugins {
    id("com.android.application") version "8.7.3"
    id("org.jetbrains.kotlin.android") version "2.1.0"
}

android {
    namespace = "org.pocketzoo.example"
    compileSdk = 35

    defaultConfig {
        applicationId = "org.pocketzoo.example"
        minSdk = 26
        targetSdk = 35
        versionCode = 1
        versionName = "1.0"
    }

    // What `zoo export --formats kotlin --to exported` wrote: sources and the model.
    sourceSets["main"].java.srcDir("exported")
    sourceSets["main"].assets.srcDir("exported")

    androidResources {
        // LiteRT maps the file into memory, which a compressed one does not allow.
        noCompress += "tflite"
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    kotlinOptions {
        jvmTarget = "17"
    }
}

dependencies {
    implementation("com.google.ai.edge.litert:litert:2.1.5")
}
