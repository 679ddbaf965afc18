//! An invisible mark in the pixels that a model made: it stays when the credentials are stripped.
//!
//! A fixed pattern of one plus or minus a pixel, 64x64, is laid over the frame like tiles, before the frame is enlarged:
//! a chip is a whole pixel of the dream, five of the exported picture, and so outlives compression and halving. Tiles
//! make it outlive cropping: whatever is left is folded onto one tile, and all shifts are tried at once by correlation.
//! Frames of a video are folded onto the same tile.
//!
//! Sources: I. J. Cox et al., "Secure spread spectrum watermarking for multimedia", IEEE Trans. Image Processing 6(12),
//! 1997, sections III and IV (the spread pattern, detection by correlation); T. Kalker et al., "A video watermarking system for
//! broadcast monitoring", Proc. SPIE 3657, 1999, sections 2 and 3 (tiling, folding, all shifts by Fourier transform);
//! H. S. Malvar and D. A. F. Florencio, "Improved spread spectrum", IEEE Trans. Signal Processing 51(4), 2003, section
//! III (less of the mark where the picture already agrees with it).
//!
//! The key is public: the mark tells those who ask honestly, and is no lock against those who would remove or forge it.

mod grid;
mod mark;
mod pattern;
mod search;

pub use mark::mark;
pub use pattern::Key;
pub use search::{FALSE_POSITIVE_RATE, Finding, Search};
