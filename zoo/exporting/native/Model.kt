$head
package pocketzoo

/** Constants of the model. Acceleration: $unit, gravity included, with Android's sign. */$rotation
object Model {
    const val FILE = $file
    const val SIGNATURE = $signature
    const val INPUT = $input
    val LABELS = arrayOf($labels)
    val STATES: Map<String, Int> = linkedMapOf($states)
    val GROUPS = arrayOf<Group>($groups)
$numbers
}
