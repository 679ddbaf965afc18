//! The frames: uploaded once each, shown crisp at any window size.

use super::{style, turning::Ahead};
use crate::app::{
    generator::SideBySide,
    look::Look,
    session::{Pictures, Session},
};
use bevy::{
    asset::{RenderAssetUsages, embedded_asset},
    image::ImageSampler,
    prelude::*,
    render::render_resource::{AsBindGroup, Extent3d, RenderPipelineDescriptor, TextureDimension, TextureFormat},
    shader::ShaderRef,
    ui_render::prelude::UiMaterialKey,
    window::PrimaryWindow,
};
use holdfast_model::Around;
use holdfast_sim::Frame;

/// A picture on the screen, by the world it shows.
#[derive(Component, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    Dream,
    Truth,
}

/// The label of a picture, side by side.
#[derive(Component)]
pub struct Tag(Picture);

/// The crosshair sits in the middle of each picture.
#[derive(Component)]
pub struct Crosshair;

/// A frame that fills its node, and may be turned. The user interface's own images are drawn with corners, borders and
/// blending, which costs a software renderer twice as much for a whole window.
#[derive(Debug, Clone, Asset, AsBindGroup, TypePath)]
pub struct TurnedPicture {
    #[uniform(0)]
    source_from_shown: Mat3,
    #[texture(1)]
    image: Handle<Image>,
}

impl UiMaterial for TurnedPicture {
    fn fragment_shader() -> ShaderRef {
        "embedded://holdfast_game/app/view/picture.wgsl".into()
    }

    fn specialize(descriptor: &mut RenderPipelineDescriptor, _: UiMaterialKey<Self>) {
        let targets = descriptor.fragment.iter_mut().flat_map(|fragment| &mut fragment.targets);
        targets.flatten().for_each(|target| target.blend = None);
    }
}

pub struct PicturePlugin;

impl Plugin for PicturePlugin {
    fn build(&self, app: &mut App) {
        embedded_asset!(app, "picture.wgsl");
        app.add_plugins(UiMaterialPlugin::<TurnedPicture>::default());
    }
}

pub fn spawn(mut commands: Commands, mut images: ResMut<Assets<Image>>, mut materials: ResMut<Assets<TurnedPicture>>) {
    for picture in [Picture::Dream, Picture::Truth] {
        let image = images.add(image_of(&Frame::new(1, 1)));
        let material = materials.add(TurnedPicture { source_from_shown: Mat3::IDENTITY, image });
        commands
            .spawn((
                picture,
                MaterialNode(material),
                Node {
                    position_type: PositionType::Absolute,
                    align_items: AlignItems::Center,
                    justify_content: JustifyContent::Center,
                    ..default()
                },
                GlobalZIndex(0),
                Pickable::IGNORE,
            ))
            .with_children(|picture_node| {
                crosshair(picture_node);
                picture_node
                    .spawn((
                        Tag(picture),
                        Node {
                            position_type: PositionType::Absolute,
                            bottom: px(8),
                            left: px(8),
                            padding: UiRect::axes(px(8), px(3)),
                            border_radius: BorderRadius::all(px(4)),
                            ..default()
                        },
                        BackgroundColor(style::TAG),
                    ))
                    .with_child(style::text("", 14.0, style::TEXT));
            });
    }
}

fn crosshair(parent: &mut ChildSpawnerCommands) {
    for (length_px, thickness_px, color) in
        [(16.0, 4.0, Color::srgba(0.0, 0.0, 0.0, 0.35)), (14.0, 2.0, Color::srgba(1.0, 1.0, 1.0, 0.85))]
    {
        for (width, height) in [(length_px, thickness_px), (thickness_px, length_px)] {
            let node =
                Node { position_type: PositionType::Absolute, width: px(width), height: px(height), ..default() };
            parent.spawn((Crosshair, node, BackgroundColor(color), Pickable::IGNORE));
        }
    }
}

/// Uploads a frame when there is a new one, or more is known around it, and only then: touching an image asset uploads it. A
/// turn touches the material alone, and so does a new image, which it must be bound to.
pub fn upload(
    (pictures, look, ahead): (Res<Pictures>, Res<Look>, Res<Ahead>),
    mut images: ResMut<Assets<Image>>,
    mut materials: ResMut<Assets<TurnedPicture>>,
    nodes: Query<(&Picture, &MaterialNode<TurnedPicture>)>,
    mut shown: Local<(u64, bool, [f32; 2])>,
    mut marked: Local<Frame>,
) {
    let now = (pictures.version, pictures.around.is_some(), ahead.deg);
    let is_new = (shown.0, shown.1) != (now.0, now.1);
    if *shown == now {
        return;
    }
    if shown.0 != now.0 {
        *marked = pictures.as_exported(&pictures.dream);
    }
    *shown = now;
    for (picture, node) in &nodes {
        // The truth is not turned.
        if *picture == Picture::Truth && !is_new {
            continue;
        }
        let Some(mut material) = materials.get_mut(&node.0) else { continue };
        // Written to in any case: a material that is only read is not bound to its new image.
        material.source_from_shown = if *picture == Picture::Dream {
            let frame_px = [pictures.dream.width, pictures.dream.height];
            let source_px =
                pictures.around.as_ref().map_or(frame_px, |around| [around.frame.width, around.frame.height]);
            Mat3::from_cols_array_2d(&look.source(ahead.deg, frame_px, source_px).0)
        } else {
            Mat3::IDENTITY
        };
        let frame = match (picture, &pictures.truth) {
            _ if !is_new => continue,
            (Picture::Dream, _) => &within(&marked, pictures.around.as_ref()),
            (Picture::Truth, SideBySide::Shown(frame)) => frame,
            (Picture::Truth, _) => continue,
        };
        if let Some(mut image) = images.get_mut(&material.image) {
            *image = image_of(frame);
        }
    }
}

/// A frame in the middle of what is known around it.
fn within(frame: &Frame, around: Option<&Around>) -> Frame {
    let Some(Around { frame: wide, margin_px: [left, top] }) = around else { return frame.clone() };
    let mut out = wide.clone();
    for (y, row) in frame.rgb.chunks_exact(frame.width * 3).enumerate() {
        let at = ((y + top) * wide.width + left) * 3;
        out.rgb[at..at + row.len()].copy_from_slice(row);
    }
    out
}

pub fn lay_out(
    window: Single<&Window, With<PrimaryWindow>>,
    (session, scale): (Res<Session>, Res<UiScale>),
    pictures: Res<Pictures>,
    mut nodes: Query<(&Picture, &mut Node)>,
    mut tags: Query<(&Tag, &mut Node, &Children), Without<Picture>>,
    mut texts: Query<&mut Text>,
) {
    let beside = session.side_by_side;
    let size_px = [window.physical_width(), window.physical_height()];
    let frame_px = [pictures.dream.width.max(1) as u32, pictures.dream.height.max(1) as u32];
    let parts = if beside { 2 } else { 1 };
    let place = fit([size_px[0] / parts, size_px[1]], frame_px);
    for (picture, mut node) in &mut nodes {
        style::show(&mut node, pictures.version > 0 && (beside || *picture == Picture::Dream));
        let offset_px = if *picture == Picture::Truth { size_px[0] / parts } else { 0 };
        // The layout counts in pixels of its own.
        let logical = |physical: u32| px(physical as f32 / window.scale_factor() / scale.0);
        let wanted = [place.left + offset_px, place.top, place.width, place.height].map(logical);
        if [node.left, node.top, node.width, node.height] != wanted {
            [node.left, node.top, node.width, node.height] = wanted;
        }
    }
    for (tag, mut node, children) in &mut tags {
        style::show(&mut node, beside);
        let words = match (tag.0, &pictures.truth) {
            (Picture::Dream, _) => "dream".into(),
            (Picture::Truth, SideBySide::Behind { ticks }) => format!("truth: {ticks} ticks behind"),
            (Picture::Truth, _) => "truth".into(),
        };
        let mut label = texts.iter_many_mut(children);
        while let Some(mut text) = label.fetch_next() {
            style::say(&mut text, &words);
        }
    }
}

/// A frame as a texture that stays crisp when it is enlarged.
pub fn image_of(frame: &Frame) -> Image {
    let size = Extent3d { width: frame.width as u32, height: frame.height as u32, depth_or_array_layers: 1 };
    let rgba = frame.rgb.chunks_exact(3).flat_map(|rgb| [rgb[0], rgb[1], rgb[2], 255]).collect();
    let usages = RenderAssetUsages::RENDER_WORLD | RenderAssetUsages::MAIN_WORLD;
    let mut image = Image::new(size, TextureDimension::D2, rgba, TextureFormat::Rgba8UnormSrgb, usages);
    image.sampler = ImageSampler::nearest();
    image
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

/// Where a frame goes in an area of the screen: whole multiples of its size where they fill nearly all of the area,
/// so that every pixel is equally large; the largest fit otherwise. Always its own aspect, always in the middle.
fn fit(area_px: [u32; 2], frame_px: [u32; 2]) -> Place {
    const NEARLY_ALL: f32 = 0.95;
    let largest = (area_px[0] as f32 / frame_px[0] as f32).min(area_px[1] as f32 / frame_px[1] as f32);
    let scale = if largest.floor() >= largest * NEARLY_ALL { largest.floor() } else { largest };
    let [width, height] = frame_px.map(|side| (side as f32 * scale).round() as u32);
    Place { left: area_px[0].saturating_sub(width) / 2, top: area_px[1].saturating_sub(height) / 2, width, height }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(area_px: [u32; 2], [left, top, width, height]: [u32; 4]) {
        assert_eq!(fit(area_px, [128, 72]), Place { left, top, width, height }, "{area_px:?}");
    }

    #[test]
    fn whole_multiples_where_they_nearly_fill() {
        check([1280, 720], [0, 0, 1280, 720]);
        check([1920, 1080], [0, 0, 1920, 1080]);
        check([1300, 740], [10, 10, 1280, 720]);
        check([640, 720], [0, 180, 640, 360]);
    }

    #[test]
    fn the_largest_fit_otherwise() {
        check([1400, 2000], [0, 606, 1400, 788]);
        check([100, 100], [0, 22, 100, 56]);
        check([1366, 768], [0, 0, 1365, 768]);
    }
}
