import CApusPlugin

/// The optional interfaces that this host has.
package enum HostExtensions {
    /// Their names.
    package static let names: Set<String> = [APUS_SECRETS]

    /// The interface with a name; nil when the host does not have it.
    ///
    /// Any thread, from plugins.
    static func table(_ name: UnsafePointer<CChar>) -> UnsafeRawPointer? {
        // SAFETY: the plugin promises a zero-terminated string.
        switch String(cString: name) {
        case APUS_SECRETS: UnsafeRawPointer(SecretRegistry.functions)
        default: nil
        }
    }
}
