/// What is wrong with a plugin, or what it did wrong.
package struct PluginError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kind of fault; a caller may react to it.
    package enum Code: String, Codable, Sendable {
        /// The file is missing or cannot be read.
        case unreadable
        /// The file is not a shared library for this machine, or is damaged.
        case notALibrary
        /// The library is not an Apus plugin.
        case notAPlugin
        /// The plugin needs another version of the ABI.
        case incompatible
        /// The dynamic linker refused the file.
        case notLoadable
        /// What the plugin says of itself makes no sense.
        case badDescription
        /// The plugin refused its configuration.
        case badConfiguration
        /// A callback failed, threw, or broke the contract.
        case failed
        /// The operator's state could not be read from its database; the plugin is not to blame.
        case stateUnreadable
    }

    /// The kind of fault.
    package let code: Code
    /// The file, or the plugin with operator and callback.
    package let subject: String
    /// What was found, what was expected, and how to mend it.
    package let message: String

    /// Creates an error.
    package init(_ code: Code, _ subject: String, _ message: String) {
        self.code = code
        self.subject = subject
        self.message = message
    }

    /// One line: the subject, then the message.
    package var description: String { "\(subject): \(message)" }
}
