import CApusPlugin

/// The optional interfaces that this host has.
package enum HostExtensions {
    /// Their names.
    package static let names: Set<String> = []
}
