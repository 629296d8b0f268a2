// Nothing to call: the module is linked for its note.
