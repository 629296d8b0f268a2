import ApusCore
import ApusPluginHost
import ApusState

extension OperatorStage {
    /// Works on what tools ask of the state, until the time is up.
    func serveRequests(until limit: Int64) {
        guard let state = instance.state else {
            return desk.refuseAll("operator '\(node)' keeps no state")
        }
        guard isOpen, !isPastLastBarrier else {
            return desk.refuseAll("operator '\(node)' has ended: its input has, or the job stops")
        }
        state.setTime(microseconds: clock.wallMicroseconds(), watermark: watermark)
        desk.work(on: state, until: limit, clock: clock)
    }
}
