import ApusGraph
import ApusPluginHost

extension AsyncSettings {
    /// The settings that a job file describes.
    init(_ description: AsyncDescription) {
        self.init()
        capacity = description.capacity
        timeoutMicroseconds = description.timeoutMicroseconds
        retryCount = description.retryCount
        retryDelayMicroseconds = description.retryDelayMicroseconds
        isOrdered = description.order == .ordered
        rejectsFailures = description.failurePolicy == .deadLetter
    }
}
