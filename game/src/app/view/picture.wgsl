// A picture that fills its node, each of its texels a block of pixels, turned as a look ahead asks for
// (`Source` in game/src/app/look.rs). What it does not show is its nearest edge.

#import bevy_ui::ui_vertex_output::UiVertexOutput

@group(1) @binding(0) var<uniform> source_from_shown: mat3x3<f32>;
@group(1) @binding(1) var image: texture_2d<f32>;

@fragment
fn fragment(in: UiVertexOutput) -> @location(0) vec4<f32> {
    let source = source_from_shown * vec3(in.uv, 1.0);
    let size = textureDimensions(image);
    let at = vec2<i32>(floor(source.xy / source.z * vec2<f32>(size)));
    return textureLoad(image, clamp(at, vec2(0), vec2<i32>(size) - 1), 0);
}
