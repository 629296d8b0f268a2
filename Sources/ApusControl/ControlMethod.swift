/// Something that a running job can be asked for: a row of its table of methods.
package struct ControlMethod: Sendable {
    /// The method's name: `state.sizes`.
    package let name: String
    /// Does it, on the connection's own thread; may take long, and then tells its progress.
    let run: @Sendable (ControlCall) throws(ControlError) -> any Encodable

    /// Creates a method.
    ///
    /// - Parameters:
    ///   - name: Its name, in two parts: what it is about, and what is done.
    ///   - run: Does it and returns the result.  Runs on the thread of the connection, beside
    ///     those of others.  What takes longer than a second tells its progress, and ends when
    ///     ``ControlCall/isOver``.
    package init(
        _ name: String,
        run: @escaping @Sendable (ControlCall) throws(ControlError) -> any Encodable
    ) {
        self.name = name
        self.run = run
    }
}
