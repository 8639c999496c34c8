package pocketzoo

import android.app.Activity
import android.os.Bundle
import android.view.Gravity
import android.view.View
import android.widget.TextView

/** One word on one screen. */
class MainActivity : Activity() {
    private lateinit var recognizer: ActivityRecognizer
    private lateinit var label: TextView

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        label = TextView(this).apply {
            textSize = 48f
            gravity = Gravity.CENTER
            keepScreenOn = true
            accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
        }
        setContentView(label)
        recognizer = ActivityRecognizer(this) { prediction -> show(prediction.label ?: prediction.reason ?: "") }
    }

    override fun onResume() {
        super.onResume()
        show(if (recognizer.start()) "listening" else "no accelerometer")
    }

    override fun onPause() {
        recognizer.stop()
        super.onPause()
    }

    override fun onDestroy() {
        recognizer.close()
        super.onDestroy()
    }

    /** Shows a word, without rewriting the same one. */
    private fun show(word: String) {
        if (label.text.toString() != word) label.text = word
    }
}
