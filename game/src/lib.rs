//! The Bevy app and the command line.
