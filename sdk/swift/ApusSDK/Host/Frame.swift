public import CApusPlugin

/// One callback at work: what the host lent for it, and how far it has come.
///
/// There is one per instance, at the same address for the instance's life.  Handlers never see
/// that an output is full: emitting never calls `more`, so nothing is handed over while a handler
/// runs and all of it can be taken back.  What finds no room is set aside (``SetAside``) and
/// written between records.  If the host takes no more even then, the record in hand is reported
/// as not done, and when the host calls again the work goes on behind it.
@usableFromInline
struct Frame {
    /// What remains to be said when the outputs have room again.
    enum Pending {
        case done
        case bad(reason: String)
    }

    /// The host's context, for the callback.
    @usableFromInline var context: UnsafeMutablePointer<apus_ctx>
    /// The batch in hand; nil when no record is.
    @usableFromInline var batch: UnsafePointer<apus_batch>?
    /// The first record of the batch that is to be handled.
    @usableFromInline var first: UInt32 = 0
    /// The record in hand; below the batch's count.
    @usableFromInline var inHand: UInt32 = 0
    /// The result of the callback, once it is known.
    @usableFromInline var result: Int32?
    /// Whether there is anything in `setAside`.
    @usableFromInline var hasSetAside = false
    @usableFromInline let outputCount: UInt32
    @usableFromInline let counterCount: UInt32
    /// Where the outputs stood before the record in hand.
    @usableFromInline let marks: UnsafeMutablePointer<apus_mark>
    /// Scratch for keys of maps.
    @usableFromInline var keyScratch = StateEncoder()
    /// Scratch for values.
    @usableFromInline var valueScratch = StateEncoder()
    /// Scratch for the bounds of a walk.
    @usableFromInline var boundScratch = StateEncoder()
    /// Scratch for looking up many values at once.
    @usableFromInline let many: ManyValues

    var setAside = SetAside()
    /// How much was set aside before the record in hand.
    var setAsideCountAtMark = 0
    var pending: Pending?

    /// How many values are looked up at once.
    @usableFromInline static let chunkCount = 1024

    init(_ context: UnsafeMutablePointer<apus_ctx>, counterCount: Int) {
        self.context = context
        self.counterCount = UInt32(counterCount)
        outputCount = context.pointee.out_count
        // SAFETY: freed in `free()`, which the instance calls when it ends.
        marks = .allocate(capacity: Int(outputCount))
        marks.initialize(repeating: apus_mark(), count: Int(outputCount))
        many = ManyValues(capacity: Self.chunkCount)
    }

    func free() {
        marks.deallocate()
        keyScratch.free()
        valueScratch.free()
        boundScratch.free()
        many.free()
    }
}
