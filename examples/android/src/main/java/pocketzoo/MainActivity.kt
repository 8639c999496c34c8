package pocketzoo

import android.app.Activity
import android.content.Intent
import android.os.Build
import android.os.Bundle
import android.view.Gravity
import android.view.View
import android.widget.Button
import android.widget.LinearLayout
import android.widget.TextView

/** One word on one screen, and a button that starts and stops its service. */
class MainActivity : Activity() {
    private val service by lazy { Intent(this, RecognitionService::class.java) }
    private lateinit var label: TextView
    private lateinit var button: Button

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        label = TextView(this).apply {
            textSize = 48f
            gravity = Gravity.CENTER
            accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
        }
        button = Button(this).apply { setOnClickListener { if (RecognitionService.word.isEmpty()) start() else stop() } }
        setContentView(LinearLayout(this).apply {
            orientation = LinearLayout.VERTICAL
            gravity = Gravity.CENTER
            addView(label)
            addView(button)
        })
        // Without this permission the service runs as well, and its notification is not shown.
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) {
            requestPermissions(arrayOf(android.Manifest.permission.POST_NOTIFICATIONS), 0)
        }
    }

    override fun onStart() {
        super.onStart()
        RecognitionService.onWord = ::show
        show(RecognitionService.word)
    }

    override fun onStop() {
        RecognitionService.onWord = null
        super.onStop()
    }

    private fun start() {
        startForegroundService(service)
    }

    private fun stop() {
        stopService(service)
        show("")
    }

    private fun show(word: String) {
        label.text = if (word.isEmpty()) "What am I doing?" else word
        button.text = if (word.isEmpty()) "Start" else "Stop"
    }
}
