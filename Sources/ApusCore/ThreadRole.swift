/// What a thread is for, which tells how it shares the processors with the others.
package enum ThreadRole: Sendable {
    /// Handles records: gets a processor as soon as it wakes, before threads of other roles, and in
    /// short turns.
    case task
    /// Whatever else.
    case standard
    /// Does what nobody waits for at this instant, such as writing checkpoints: gets what is left.
    ///
    /// What is left may be next to nothing while task threads are busy all the time; they have to
    /// sleep now and then when work in the background matters.
    case background
}
