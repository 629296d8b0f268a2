public import CApusPlugin

// The course of a callback: begin, then handlers, then finish or fail.
extension Frame {
    /// Prepares for a callback over a batch.
    ///
    /// - Returns: The callback's result if there is nothing to handle: what was set aside the
    ///   last time finds no room yet, or the record in hand was the last one.
    @usableFromInline
    mutating func begin(
        _ context: UnsafeMutablePointer<apus_ctx>,
        _ batch: UnsafePointer<apus_batch>
    ) -> Int32? {
        self.context = context
        self.batch = batch
        result = nil
        first = context.pointee.at
        inHand = first
        guard let pending else {
            mark()
            return nil
        }
        guard writeSetAside() else { return APUS_YIELD }
        self.pending = nil
        switch pending {
        case .bad(let reason):
            return report(badRecord: first, reason)
        case .done:
            first += 1
            guard first < batch.pointee.count else { return APUS_OK }
            inHand = first
            mark()
            return nil
        }
    }

    /// Prepares for a callback without records.
    @usableFromInline
    mutating func begin(_ context: UnsafeMutablePointer<apus_ctx>) {
        self.context = context
        batch = nil
        result = nil
        mark()
    }

    /// Calls `body` with the index of each record that is to be handled, in order.
    ///
    /// Not a method, because `body` uses the frame, too.
    @inlinable
    static func forEach(
        _ frame: UnsafeMutablePointer<Frame>,
        _ body: (Int) throws -> Void
    ) throws {
        var index = frame.pointee.first
        // SAFETY: the batch is the host's until the callback returns; `begin` set it.
        guard let count = frame.pointee.batch?.pointee.count else { return }
        while index < count {
            frame.pointee.take(index)
            try body(Int(index))
            guard frame.pointee.settle() else { return }
            index &+= 1
        }
    }

    /// A handler begins with this record: what it emits from now on can be taken back.
    @inlinable
    mutating func take(_ index: UInt32) {
        inHand = index
        mark()
    }

    @inlinable
    mutating func mark() {
        // SAFETY: the host has outputCount outputs and never changes their addresses.
        for output in 0..<Int(outputCount) {
            marks[output] = apus_out_mark(context.pointee.outs[output])
        }
        if hasSetAside { markSetAside() }
    }

    /// Only needed when something is set aside: nothing is held otherwise.
    @usableFromInline
    mutating func markSetAside() {
        setAsideCountAtMark = setAside.count
    }

    /// The record in hand is done.
    ///
    /// - Returns: Whether the next one may begin.  If not, `result` has been set.
    @inlinable
    mutating func settle() -> Bool {
        if !hasSetAside, context.pointee.stop.pointee == 0 { return true }
        return settleSlowly()
    }

    @usableFromInline
    mutating func settleSlowly() -> Bool {
        guard writeSetAside() else {
            pending = .done
            result = yield(at: inHand)
            return false
        }
        guard let batch, context.pointee.stop.pointee != 0 else { return true }
        guard inHand + 1 < batch.pointee.count else { return true }
        result = yield(at: inHand + 1)
        return false
    }

    /// All handlers have returned.
    ///
    /// - Returns: The callback's result.
    @usableFromInline
    mutating func finish() -> Int32 {
        if let result { return result }
        if !hasSetAside { return APUS_OK }
        guard let batch else {
            guard writeSetAside() else {
                return fail(with: "more was emitted than the host takes from one call")
            }
            return APUS_OK
        }
        guard writeSetAside() else {
            inHand = batch.pointee.count - 1
            pending = .done
            return yield(at: inHand)
        }
        return APUS_OK
    }

    /// A handler has thrown.
    ///
    /// - Returns: The callback's result.
    @usableFromInline
    mutating func fail(_ error: any Error) -> Int32 {
        guard let error = error as? RecordError, batch != nil else {
            return fail(with: String(describing: error))
        }
        takeBack()
        guard writeSetAside() else {
            pending = .bad(reason: error.reason)
            return yield(at: inHand)
        }
        return report(badRecord: inHand, error.reason)
    }

    private func yield(at index: UInt32) -> Int32 {
        apus_at(context, index, APUS_YIELD)
    }

    private func report(badRecord index: UInt32, _ reason: String) -> Int32 {
        context.pointee.at = index
        return ErrorSlot.fill(context.pointee.error, APUS_RECORD, reason)
    }

    private func fail(with message: String) -> Int32 {
        context.pointee.at = inHand
        return ErrorSlot.fill(context.pointee.error, APUS_FATAL, message)
    }
}
