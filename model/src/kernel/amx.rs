//! Tiles of bf16 products on processors with matrix registers (Intel's AMX, from Sapphire Rapids on; Linux): one instruction
//! multiplies 16 x 32 by 32 x 16, ten times as much in a cycle as the vector instructions of the same core.
//!
//! The right factor is packed as for [`super::bf16`]: a line of sixteen pairs is a row of a tile. The left one lies row by
//! row. Sums begin in a tile, over the whole inner dimension, so that they always add up in the same order: another one
//! than that of the vector instructions, so the two agree to rounding and not to the bit.
#![allow(unsafe_code)] // the compiler has no stable intrinsics for these instructions, and the system must be asked for them

use super::{
    bf16::{Layout, Store},
    bf16_pack::{LANES, Line},
};
use std::{
    arch::{asm, x86_64::*},
    marker::PhantomData,
    sync::OnceLock,
};

/// Rows of one tile register.
const TILE: usize = 16;
/// Rows of a product that [`Tiles::multiply`] computes at once.
pub(super) const ROWS: usize = 2 * TILE;

/// Whether this processor has the instructions, and the system lets this process use them.
pub fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| super::bf16::available() && has_instructions() && permitted())
}

/// Intel, Software Developer's Manual, volume 2, CPUID leaf 7: bit 22 of EDX for bf16, bit 24 for tiles.
fn has_instructions() -> bool {
    let most = __cpuid(0).eax;
    most >= 7 && __cpuid_count(7, 0).edx & (1 << 22 | 1 << 24) == 1 << 22 | 1 << 24
}

/// Linux keeps the eight kilobytes of tiles only for processes that ask (Documentation/arch/x86/xstate.rst); the answer holds
/// for all their threads.
#[cfg(target_os = "linux")]
fn permitted() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_long = 18;
    // SAFETY: the call reads two numbers and touches no memory of ours.
    unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn permitted() -> bool {
    false
}

/// A thread's tile registers, set up until this is dropped. It stays on its thread.
#[derive(Debug)]
pub(super) struct Tiles(PhantomData<*const ()>);

/// Eight tiles of 16 rows of 64 bytes, as LDTILECFG reads them.
#[repr(C, align(64))]
struct Shapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

/// Where four tiles of sums are stored: two of rows by two of columns.
#[repr(C, align(64))]
struct Sums([[[f32; LANES]; TILE]; 4]);

impl Tiles {
    /// `None` where the processor has none.
    pub fn set_up() -> Option<Tiles> {
        if !available() {
            return None;
        }
        let eight = |value: u16| std::array::from_fn(|tile| if tile < 8 { value } else { 0 });
        let rows = std::array::from_fn(|tile| if tile < 8 { TILE as u8 } else { 0 });
        let shapes = Shapes { palette: 1, start_row: 0, reserved: [0; 14], row_bytes: eight(64), rows };
        // SAFETY: the processor has the instruction, and reads the 64 bytes that it is given.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) &raw const shapes, options(nostack, preserves_flags, readonly),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _);
        }
        Some(Tiles(PhantomData))
    }

    /// 32 rows of `a` times one or two panels: what [`multiply_tile`](super::bf16::multiply_tile) does, in tiles.
    ///
    /// `layout.pairs` are rounded up to whole tiles: beyond its last pair a run of `b` is zeros, and what `a` has there is
    /// finite.
    ///
    /// # Safety
    /// `a` has 32 rows by `layout`, each of whole tiles of pairs, `b` has `panels` (one or two) panels of as many lines,
    /// `panel_step` apart, and `c` holds `store.rows` rows, at most 32, of `store.columns` values, of which the panels' width
    /// is written.
    #[target_feature(enable = "avx512f")]
    pub unsafe fn multiply(
        &self,
        c: *mut f32,
        a: *const i32,
        layout: Layout,
        b: *const Line,
        panel_step: usize,
        panels: usize,
        store: Store,
    ) {
        let steps = layout.pairs.div_ceil(LANES);
        let mut sums = std::mem::MaybeUninit::<Sums>::uninit();
        let row_bytes = layout.row_step * size_of::<i32>();
        // With fewer rows or one panel, a tile is computed twice: that costs less than another path would.
        let below = if store.rows > TILE { TILE * row_bytes } else { 0 };
        let beside = if panels > 1 { panel_step * size_of::<Line>() } else { 0 };
        let skip = (layout.run_step * size_of::<i32>()).wrapping_sub(steps * size_of::<Line>());
        let skip_b = layout.run_lines.wrapping_sub(steps * LANES).wrapping_mul(size_of::<Line>());
        // SAFETY: the caller vouches for every tile that is read; all four tiles of sums are written.
        unsafe {
            let (a, b): (*const u8, *const u8) = (a.cast(), b.cast());
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                "2:",
                "mov {step}, {steps}",
                "3:",
                "tileloadd tmm4, [{a} + {row_bytes}*1]",
                "tileloadd tmm6, [{b} + {line}*1]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{b_beside} + {line}*1]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{a_below} + {row_bytes}*1]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "add {a}, 64",
                "add {a_below}, 64",
                "add {b}, 1024",
                "add {b_beside}, 1024",
                "dec {step}",
                "jnz 3b",
                "add {a}, {skip}",
                "add {a_below}, {skip}",
                "add {b}, {skip_b}",
                "add {b_beside}, {skip_b}",
                "dec {runs}",
                "jnz 2b",
                "tilestored [{sums} + {line}*1], tmm0",
                "tilestored [{sums} + {line}*1 + 1024], tmm1",
                "tilestored [{sums} + {line}*1 + 2048], tmm2",
                "tilestored [{sums} + {line}*1 + 3072], tmm3",
                step = out(reg) _,
                steps = in(reg) steps,
                a = inout(reg) a => _,
                a_below = inout(reg) a.wrapping_add(below) => _,
                b = inout(reg) b => _,
                b_beside = inout(reg) b.wrapping_add(beside) => _,
                row_bytes = in(reg) row_bytes,
                line = in(reg) size_of::<Line>(),
                skip = in(reg) skip,
                skip_b = in(reg) skip_b,
                runs = inout(reg) layout.runs => _,
                sums = in(reg) sums.as_mut_ptr(),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
            let Sums(sums) = sums.assume_init_ref();
            let scale = _mm512_set1_ps(store.scale);
            for row in 0..store.rows {
                for panel in 0..panels {
                    let sum = _mm512_loadu_ps(sums[row / TILE * 2 + panel][row % TILE].as_ptr());
                    store.put(c.add(row * store.step + panel * LANES), panel, sum, scale);
                }
            }
        }
    }
}

impl Drop for Tiles {
    fn drop(&mut self) {
        // SAFETY: they were set up, so the processor has the instruction.
        unsafe {
            asm!("tilerelease", options(nomem, nostack, preserves_flags),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _);
        }
    }
}
