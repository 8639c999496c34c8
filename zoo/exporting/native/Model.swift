$head

/// Constants of the model. Acceleration: $unit, gravity included, with Android's sign.$rotation
public enum Model {
    public static let file = $file
    public static let signature = $signature
    public static let input = $input
    public static let labels = [$labels]
    public static let states: [String: Int] = [$states]
    static let groups: [Group] = [$groups]
$numbers
}
