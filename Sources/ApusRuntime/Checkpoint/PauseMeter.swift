/// How long checkpoints keep a task thread from its records: the sum of what they do in one pass of
/// its loop.
final class PauseMeter {
    private var number: UInt64 = 0
    private var inPass: Int64 = 0
    private var longestPass: Int64 = 0

    /// The longest pause for the checkpoint in hand, in nanoseconds.
    var longest: Int64 { max(longestPass, inPass) }

    /// Adds what one step took.
    func add(nanoseconds: Int64) { inPass += nanoseconds }

    /// Adds what one step took while the thread had to wait anyway: a pause of its own.
    func addWhileWaiting(nanoseconds: Int64) { longestPass = max(longestPass, nanoseconds) }

    /// Begins another pass.
    func beginPass() {
        longestPass = longest
        inPass = 0
    }

    /// Begins a checkpoint, unless that is the one in hand.
    func begin(_ newNumber: UInt64) {
        guard newNumber > number else { return }
        number = newNumber
        inPass = 0
        longestPass = 0
    }
}
