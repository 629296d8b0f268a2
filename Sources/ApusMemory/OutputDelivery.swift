/// Delivers the sealed output of a sink, all its subtasks', to where readers look for it.
///
/// Called on the checkpoint thread, one call at a time, with output that a complete checkpoint
/// holds.  What has been delivered is part of the next checkpoint as ``position``; what has not is
/// in it as logs.  So a restart is: ``restore(_:undelivered:)`` with both, then ``deliver(_:)`` for
/// each of the logs, then the job.
package protocol OutputDelivery: Sendable {
    /// What has been delivered: versioned bytes of the delivery's own.
    ///
    /// To be read when a manifest is made, between two deliveries.
    var position: [UInt8] { get }

    /// Takes up what another process left; before the first ``deliver(_:)``, once.
    ///
    /// Changes nothing that readers see.
    ///
    /// - Parameters:
    ///   - position: ``position`` as the checkpoint has it.
    ///   - undelivered: The logs that the checkpoint has; each may have been delivered since, in
    ///     whole or in part.
    /// - Throws: ``EndpointError`` when the target is not as a crash could have left it: somebody
    ///   else has changed it.
    func restore(_ position: [UInt8], undelivered: [SealedOutput]) throws(EndpointError)

    /// Begins where there is no checkpoint to go on from; instead of ``restore(_:undelivered:)``.
    ///
    /// - Parameter epoch: The lowest one that may come.
    /// - Throws: ``EndpointError`` when the target cannot be begun with.
    func begin(at epoch: UInt64) throws(EndpointError)

    /// Releases what is held.  Once, after the last ``deliver(_:)``.
    ///
    /// - Throws: ``EndpointError``; what is delivered stays delivered.
    func close() throws(EndpointError)

    /// What readers see behind a position that is not what was undelivered there.
    ///
    /// Changes nothing.  Asked for before ``restore(_:undelivered:)``.
    ///
    /// - Parameters:
    ///   - position: ``position`` as the checkpoint has it.
    ///   - undelivered: The logs that the checkpoint has.
    /// - Returns: A sentence that says what it is and where; nil for nothing.
    /// - Throws: ``EndpointError`` when the target cannot be looked at.
    func surplus(
        behind position: [UInt8],
        undelivered: [SealedOutput]
    ) throws(EndpointError) -> String?

    /// Moves away what readers see behind a position, so that it can be delivered anew.
    ///
    /// Nothing of it is lost: it lies beside the target then.  Can be done again after a crash.
    ///
    /// - Parameters:
    ///   - position: ``position`` as the checkpoint has it.
    ///   - undelivered: The logs that the checkpoint has; what is delivered of them stays.
    ///   - number: The checkpoint's, for names.
    /// - Returns: A sentence that says what was moved where; nil for nothing.
    /// - Throws: ``EndpointError``; a part may have been done.
    func rewind(
        to position: [UInt8],
        undelivered: [SealedOutput],
        checkpoint number: UInt64
    ) throws(EndpointError) -> String?

    /// Delivers an epoch of a subtask; does nothing when that has been delivered.
    ///
    /// To be called for empty outputs, too.  When it throws a retryable error, or the process ends
    /// meanwhile, it is called again with the same output, and what was done before is not done
    /// twice.
    ///
    /// - Parameter output: Of the lowest epoch that was not delivered, subtasks in ascending order.
    /// - Throws: ``EndpointError``, for example when the disk is full.
    func deliver(_ output: SealedOutput) throws(EndpointError)
}

/// Targets that cannot be asked what they have, and hold nothing.
extension OutputDelivery {
    // doc: inherited
    package func begin(at epoch: UInt64) throws(EndpointError) {}

    // doc: inherited
    package func close() throws(EndpointError) {}

    // doc: inherited
    package func surplus(
        behind position: [UInt8],
        undelivered: [SealedOutput]
    ) throws(EndpointError) -> String? { nil }

    // doc: inherited
    package func rewind(
        to position: [UInt8],
        undelivered: [SealedOutput],
        checkpoint number: UInt64
    ) throws(EndpointError) -> String? { nil }
}
