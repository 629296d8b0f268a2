// What ApusSDK cannot say in Swift: the note in the file of every plugin that is linked with it.
#include "CApusSwiftNote.h"

#include <apus/note.h>

APUS_PLUGIN_NOTE(APUS_LANGUAGE_SWIFT, 0);
