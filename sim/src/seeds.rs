//! Which seeds serve what, fixed in this one place so that nothing is ever tested on what it was trained on.

use std::ops::Range;

/// Training episodes draw their seeds here.
pub const TRAINING: Range<u64> = 0..1_000_000;
/// Validation during training and published PSNR figures.
pub const VALIDATION: Range<u64> = 1_000_000..2_000_000;
/// Probes: from here on, never looked at while training or tuning.
pub const PROBES_FROM: u64 = 2_000_000;
