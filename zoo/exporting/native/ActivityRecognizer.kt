package pocketzoo

import android.content.Context
import android.hardware.Sensor
import android.hardware.SensorEvent
import android.hardware.SensorEventListener
import android.hardware.SensorManager
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.TensorBuffer

/**
 * Listens to the accelerometer, and to the gyroscope if the model reads it, and recognizes what the phone's owner is doing.
 *
 * @param onPrediction Called with each prediction, on the thread of the sensor's events.
 */
class ActivityRecognizer(context: Context, private val onPrediction: (Prediction) -> Unit) : SensorEventListener, AutoCloseable {
    private val sensors = context.getSystemService(Context.SENSOR_SERVICE) as SensorManager
    private val model = CompiledModel.create(context.assets, Model.FILE, CompiledModel.Options(Accelerator.CPU))
    private val names = Model.STATES.keys
    private val inputs = (names + Model.INPUT).associateWith { model.createInputBuffer(it, Model.SIGNATURE) }
    private val outputs = (names + "probabilities").associateWith { model.createOutputBuffer(it, Model.SIGNATURE) }
    private val stream = Stream(::step)
    private val turns = Model.CHANNELS > 3
    private val types = listOf(Sensor.TYPE_ACCELEROMETER) + if (turns) listOf(Sensor.TYPE_GYROSCOPE) else listOf()

    /** The last rotation rate, in rad/s; null before the first. */
    private var rotation: FloatArray? = null

    /** Starts listening; false where the phone lacks a sensor. */
    fun start(): Boolean {
        val found = types.map { sensors.getDefaultSensor(it) ?: return false }
        stream.restart()
        rotation = null
        return found.all { sensors.registerListener(this, it, (1e6 / Model.RATE).toInt()) }.also { if (!it) stop() }
    }

    fun stop() = sensors.unregisterListener(this)

    override fun onSensorChanged(event: SensorEvent) {
        val values = event.values.copyOf(3)
        if (event.sensor.type == Sensor.TYPE_GYROSCOPE) {
            rotation = values
            return
        }
        val turning = if (turns) rotation ?: return else FloatArray(0)
        stream.push(event.timestamp * 1e-9, *values, *turning).forEach(onPrediction)
    }

    override fun onAccuracyChanged(sensor: Sensor?, accuracy: Int) = Unit

    override fun close() {
        stop()
        (inputs.values + outputs.values).forEach(TensorBuffer::close)
        model.close()
    }

    private fun step(frame: FloatArray, states: States): Pair<FloatArray, States> {
        inputs.getValue(Model.INPUT).writeFloat(frame)
        for (name in names) inputs.getValue(name).writeFloat(states.getValue(name))
        model.run(inputs, outputs, Model.SIGNATURE)
        return Pair(outputs.getValue("probabilities").readFloat(), names.associateWith { outputs.getValue(it).readFloat() })
    }
}
