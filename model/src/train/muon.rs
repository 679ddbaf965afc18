//! Steps of equal strength in all directions of a matrix: Muon (Jordan et al., 2024, kellerjordan.github.io/posts/muon),
//! at AdamW's pace (Liu et al., "Muon is Scalable for LLM Training", section 2.2).

use crate::kernel::{
    Precision,
    matmul::{Products, View},
};

/// Factors of the polynomial that drives singular values towards 1 (Newton-Schulz), and how often it is applied.
const FACTORS: [f32; 3] = [3.4445, -4.7750, 2.0315];
const ROUNDS: usize = 5;
/// Root mean square of AdamW's usual steps, in learning rates.
const USUAL_STEP: f32 = 0.2;

/// Makes all singular values of a matrix about equal, keeping their directions, such that the root mean square of its
/// values is that of an AdamW step.
///
/// # Arguments
/// - `matrix`: `[rows, columns]`.
pub fn even_out(matrix: &mut [f32], [rows, columns]: [usize; 2], precision: Precision) {
    let tall = rows > columns;
    let (short, long) = (rows.min(columns), rows.max(columns));
    let norm = matrix.iter().map(|value| value * value).sum::<f32>().sqrt();
    if norm == 0.0 {
        return;
    }
    let mut x: Vec<f32> = matrix.iter().map(|value| value / norm).collect();
    // The longer side is summed over: of a tall matrix the columns are set upright, of a wide one the rows.
    let view = View::dense(rows, columns);
    let (upright, flat) = if tall { (view.transposed(), view) } else { (view, view.transposed()) };
    let mut products = Products::new(precision);
    let (mut gram, mut squared) = (vec![0.0; short * short], vec![0.0; short * short]);
    let mut next = vec![0.0; short * long];
    let square = View::dense(short, short);
    for _ in 0..ROUNDS {
        products.matmul(&mut gram, square, &x, upright, &x, flat, false, 1.0);
        products.matmul(&mut squared, square, &gram, square, &gram, square, false, 1.0);
        for (gram, squared) in gram.iter_mut().zip(&squared) {
            *gram = FACTORS[1] * *gram + FACTORS[2] * squared;
        }
        match tall {
            true => products.matmul(&mut next, view, &x, view, &gram, square, false, 1.0),
            false => products.matmul(&mut next, view, &gram, square, &x, view, false, 1.0),
        }
        x.iter_mut().zip(&next).for_each(|(x, next)| *x = FACTORS[0] * *x + next);
    }
    let scale = USUAL_STEP * (long as f32).sqrt();
    matrix.iter_mut().zip(&x).for_each(|(value, x)| *value = x * scale);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::normal;
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    #[test]
    fn rows_of_a_wide_matrix_come_out_upright_to_each_other_and_about_equally_long() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for (rows, columns) in [(8, 24), (24, 8), (16, 16)] {
            // Strong in one direction.
            let noise: Vec<f32> = (0..rows * columns).map(|_| normal(&mut rng)).collect();
            let mut matrix: Vec<f32> = noise
                .iter()
                .enumerate()
                .map(|(at, value)| value + 20.0 * (at % columns) as f32 / columns as f32)
                .collect();
            even_out(&mut matrix, [rows, columns], Precision::F32);
            let (short, long) = (rows.min(columns), rows.max(columns));
            let at =
                |i: usize, j: usize| if rows > columns { matrix[j * columns + i] } else { matrix[i * columns + j] };
            let dot = |a: usize, b: usize| (0..long).map(|j| at(a, j) * at(b, j)).sum::<f32>();
            let length = USUAL_STEP * (long as f32).sqrt();
            for a in 0..short {
                assert!(
                    (0.6..1.3).contains(&(dot(a, a).sqrt() / length)),
                    "{rows} {columns}: {}",
                    dot(a, a).sqrt() / length
                );
                assert!((0..a).all(|b| dot(a, b).abs() < 0.35 * length * length), "{rows} {columns}");
            }
        }
    }
}
