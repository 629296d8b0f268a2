/// How far event time has come at a reader of several channels: the least of their watermarks.
///
/// A channel that is idle or has ended is left out.  Time never goes back, also when an idle
/// channel returns with an older watermark.  (Akidau et al., "The Dataflow Model"; idleness as in
/// Flink.)
package struct WatermarkTracker: Sendable {
    /// What a message changed for the reader.
    package enum Change: Equatable, Sendable {
        /// Nothing.
        case none
        /// Event time has advanced to this (microseconds).
        case advanced(to: Int64)
        /// Every channel is idle now: the reader is idle too.
        case idle
        /// The last open channel has ended.
        case ended
    }

    private enum Channel {
        case active(Int64)
        case idle(Int64)
        case ended
    }

    private var channels: [Channel]
    private var isIdle = false
    private var openCount: Int

    /// Event time at the reader, in microseconds; `Int64.min` before the first watermark.
    package private(set) var current: Int64 = .min

    /// Creates a tracker of channels that have said nothing yet.
    package init(channelCount: Int) {
        precondition(channelCount > 0, "a reader has at least one channel")
        channels = Array(repeating: .active(.min), count: channelCount)
        openCount = channelCount
    }

    /// Takes a watermark of a channel, which is active from now on.
    package mutating func advance(_ channel: Int, to time: Int64) -> Change {
        switch channels[channel] {
        case .active(let old), .idle(let old):
            channels[channel] = .active(max(old, time))
        case .ended:
            return .none
        }
        return advanceToMinimum()
    }

    /// Takes a record of a channel: it is active from now on.
    package mutating func wake(_ channel: Int) {
        if case .idle(let time) = channels[channel] { channels[channel] = .active(time) }
        isIdle = false
    }

    /// Takes a channel's word that nothing comes for now.
    package mutating func setIdle(_ channel: Int) -> Change {
        if case .active(let time) = channels[channel] { channels[channel] = .idle(time) }
        return advanceToMinimum()
    }

    /// Takes a channel's word that nothing comes any more.
    package mutating func end(_ channel: Int) -> Change {
        guard openCount > 0 else { return .none }
        if case .ended = channels[channel] { return .none }
        channels[channel] = .ended
        openCount -= 1
        return openCount == 0 ? .ended : advanceToMinimum()
    }

    private mutating func advanceToMinimum() -> Change {
        var least = Int64.max
        var isAnyActive = false
        var isAnyIdle = false
        var isAnyComplete = false
        for channel in channels {
            switch channel {
            case .active(.max), .idle(.max):
                isAnyComplete = true
            case .active(let time):
                isAnyActive = true
                least = min(least, time)
            case .idle:
                isAnyIdle = true
            case .ended:
                break
            }
        }
        // The end of one input says nothing of the others that are only idle.
        guard isAnyActive || (isAnyComplete && !isAnyIdle) else {
            let change: Change = isIdle || openCount == 0 ? .none : .idle
            isIdle = true
            return change
        }
        isIdle = false
        guard least > current else { return .none }
        current = least
        return .advanced(to: least)
    }
}
