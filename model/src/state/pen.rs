//! Lines and dots on a frame.

use glam::Vec2;
use holdfast_sim::Frame;

/// Draws on a frame; what lies outside of it is not drawn.
#[derive(Debug)]
pub(super) struct Pen<'a> {
    frame: &'a mut Frame,
}

impl<'a> Pen<'a> {
    pub fn on(frame: &'a mut Frame) -> Self {
        Pen { frame }
    }

    /// Mixes a colour in at continuous pixel coordinates.
    fn mix(&mut self, at: Vec2, rgb: [u8; 3], share: f32) {
        let inside = at.x >= 0.0 && at.y >= 0.0 && at.x < self.frame.width as f32 && at.y < self.frame.height as f32;
        if inside {
            let at = (at.y as usize * self.frame.width + at.x as usize) * 3;
            for (old, new) in self.frame.rgb[at..at + 3].iter_mut().zip(rgb) {
                *old = (f32::from(*old) + (f32::from(new) - f32::from(*old)) * share + 0.5) as u8;
            }
        }
    }

    /// A line one pixel wide, whose first pixel is left out so that pieces of a way do not mix twice where they meet.
    pub fn line(&mut self, from: Vec2, to: Vec2, rgb: [u8; 3], share: f32) {
        let most = (self.frame.width + self.frame.height) as f32 * 2.0;
        let steps = (to - from).abs().max_element().ceil();
        // Far outside there is nothing to draw, however long it takes.
        if !steps.is_finite() || steps > most * 4.0 {
            return;
        }
        for step in 1..=steps as usize {
            self.mix(from + (to - from) * (step as f32 / steps), rgb, share);
        }
    }

    pub fn dot(&mut self, centre: Vec2, radius_px: f32, rgb: [u8; 3]) {
        let reach = radius_px.ceil() as i32;
        for y in -reach..=reach {
            for x in -reach..=reach {
                let by = Vec2::new(x as f32, y as f32);
                if by.length() <= radius_px {
                    self.mix(centre + by, rgb, 1.0);
                }
            }
        }
    }
}

/// A colour made lighter or darker.
pub(super) fn lighter(rgb: [u8; 3], factor: f32) -> [u8; 3] {
    rgb.map(|part| (f32::from(part) * factor + 0.5).min(255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_inside_and_cover_their_way() {
        let mut frame = Frame::new(8, 4);
        let mut pen = Pen::on(&mut frame);
        pen.line(Vec2::new(-5.0, 1.5), Vec2::new(20.0, 1.5), [255; 3], 1.0);
        pen.line(Vec2::ZERO, Vec2::new(f32::NAN, 9.0), [255; 3], 1.0);
        pen.dot(Vec2::new(0.0, 3.5), 1.0, [0, 9, 0]);
        assert!((0..8).all(|x| frame.pixel(x, 1) == [255; 3]));
        assert!((0..8).all(|x| frame.pixel(x, 0) == [0; 3]));
        assert_eq!([frame.pixel(0, 3), frame.pixel(1, 3), frame.pixel(2, 3)], [[0, 9, 0], [0, 9, 0], [0; 3]]);
    }
}
