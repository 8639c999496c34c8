package pocketzoo

import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.app.PendingIntent
import android.app.Service
import android.content.Intent
import android.content.pm.ServiceInfo
import android.os.Build
import android.os.IBinder
import android.os.PowerManager

/**
 * Recognizes while the phone is locked: Android stops the sensors of apps that nobody sees, unless a service in the
 * foreground reads them, whose notification shows the label. Without the wake lock, the processor sleeps.
 */
class RecognitionService : Service() {
    private lateinit var recognizer: ActivityRecognizer
    private lateinit var awake: PowerManager.WakeLock
    private val notifications get() = getSystemService(NotificationManager::class.java)

    override fun onCreate() {
        super.onCreate()
        notifications.createNotificationChannel(
            NotificationChannel(CHANNEL, "Recognition", NotificationManager.IMPORTANCE_LOW)
        )
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.UPSIDE_DOWN_CAKE) {
            startForeground(ID, notification("listening"), ServiceInfo.FOREGROUND_SERVICE_TYPE_HEALTH)
        } else {
            startForeground(ID, notification("listening"))
        }
        awake = getSystemService(PowerManager::class.java).newWakeLock(PowerManager.PARTIAL_WAKE_LOCK, "pocketzoo:recognition")
        awake.acquire()
        recognizer = ActivityRecognizer(this) { prediction -> show(prediction.label ?: prediction.reason ?: "") }
        show(if (recognizer.start()) "listening" else "no accelerometer")
    }

    override fun onStartCommand(intent: Intent?, flags: Int, startId: Int): Int = START_NOT_STICKY

    override fun onBind(intent: Intent?): IBinder? = null

    override fun onDestroy() {
        recognizer.close()
        awake.release()
        word = ""
        super.onDestroy()
    }

    /** Shows a word in the notification and in the app, without writing the same one again. */
    private fun show(now: String) {
        if (now == word) return
        word = now
        notifications.notify(ID, notification(now))
        onWord?.invoke(now)
    }

    private fun notification(text: String): Notification {
        val open = PendingIntent.getActivity(this, 0, Intent(this, MainActivity::class.java), PendingIntent.FLAG_IMMUTABLE)
        return Notification.Builder(this, CHANNEL)
            .setSmallIcon(android.R.drawable.ic_menu_compass)
            .setContentTitle(text)
            .setContentIntent(open)
            .setVisibility(Notification.VISIBILITY_PUBLIC)
            .setOngoing(true)
            .build()
    }

    companion object {
        private const val CHANNEL = "recognition"
        private const val ID = 1

        /** What is shown now; empty while nothing is recognized. */
        var word = ""
            private set

        /** Called with each word, on the main thread, as are the sensor's events. */
        var onWord: ((String) -> Unit)? = null
    }
}
