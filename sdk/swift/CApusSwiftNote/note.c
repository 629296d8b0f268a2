// The note in the file that the host reads before any code of a plugin runs: every plugin that is
// made with the Swift SDK has it, because every plugin links this.
#include "CApusSwiftNote.h"

APUS_PLUGIN_NOTE(APUS_LANGUAGE_SWIFT, 0);
