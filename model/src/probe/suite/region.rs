//! What tells a changed world from the unchanged one: regions of pixels, and how the reader reads them.

use crate::probe::{
    Lab,
    reader::{Kind, Page},
};
use holdfast_sim::{Frame, voxel::render::View};
use std::collections::BTreeMap;

/// Pixels where the changed world shows one kind of thing and the unchanged one another.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    pub now: Kind,
    pub before: Kind,
    pub pixels: Vec<usize>,
}

/// A region is read when it has this many pixels.
const LEAST_OF_REGION: usize = 24;

/// The regions that are large enough to be read; those that now show the sky are left out.
pub fn regions(now: &View, before: &View) -> Vec<Region> {
    let mut found: BTreeMap<(Kind, Kind), Vec<usize>> = BTreeMap::new();
    for (pixel, (&now, &before)) in now.block_ids.iter().zip(&before.block_ids).enumerate() {
        if let (Some(now), Some(before)) = (Kind::of_id(now), Kind::of_id(before))
            && now != before
            // The reader is told how far off things truly are: at the sky's distance it reads little but sky.
            && now != Kind::Sky
        {
            found.entry((now, before)).or_default().push(pixel);
        }
    }
    let large = found.into_iter().filter(|(_, pixels)| pixels.len() >= LEAST_OF_REGION);
    large.map(|((now, before), pixels)| Region { now, before, pixels }).collect()
}

/// How many of the regions read as they are now, and how many as they were before.
pub fn read(lab: &Lab, frame: &Frame, truth: &View, regions: &[Region]) -> (f64, f64) {
    let page = Page::new(frame);
    let (mut right, mut stale) = (0.0, 0.0);
    for region in regions {
        let kind = lab.reader.read(&page, &truth.depth, &region.pixels);
        right += f64::from(u8::from(kind == Some(region.now)));
        stale += f64::from(u8::from(kind == Some(region.before)));
    }
    (right, stale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_sim::voxel::block::Block;

    #[test]
    fn a_region_is_where_the_kinds_differ() {
        let mut now = View::new(16, 8);
        let mut before = now.clone();
        before.block_ids[..40].fill(Block::Brick.id());
        now.block_ids[..30].fill(Block::Grass.id());
        now.block_ids[30..40].fill(Block::Sand.id());
        let found = regions(&now, &before);
        assert_eq!(found, [Region { now: Kind::Grass, before: Kind::Brick, pixels: (0..30).collect() }]);
        assert!(regions(&now, &now).is_empty());
        now.block_ids[..40].fill(Block::Air.id());
        assert!(regions(&now, &before).is_empty());
    }
}
