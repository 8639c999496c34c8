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
 * Listens to the accelerometer and recognizes what the phone's owner is doing.
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

    /** Starts listening; false where the phone has no accelerometer. */
    fun start(): Boolean {
        val sensor = sensors.getDefaultSensor(Sensor.TYPE_ACCELEROMETER) ?: return false
        stream.restart()
        return sensors.registerListener(this, sensor, (1e6 / Model.RATE).toInt())
    }

    fun stop() = sensors.unregisterListener(this)

    override fun onSensorChanged(event: SensorEvent) {
        val (x, y, z) = event.values
        stream.push(event.timestamp * 1e-9, x, y, z).forEach(onPrediction)
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
