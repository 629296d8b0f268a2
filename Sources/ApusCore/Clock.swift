/// The seam to time.
///
/// Read once per batch or less, never per record.
package protocol Clock: Sendable {
    /// Nanoseconds from some fixed instant, never going back: for time-outs and measurements.
    func monotonicNanoseconds() -> Int64

    /// Microseconds since 1970-01-01T00:00:00Z as the wall shows them: processing time.
    func wallMicroseconds() -> Int64
}
