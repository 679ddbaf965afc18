//! Vectors in what is kept: three numbers in a row, so that no file depends on how the vector library lays them out.

use glam::Vec3;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub fn serialize<S: Serializer>(vector: &Vec3, serializer: S) -> Result<S::Ok, S::Error> {
    vector.to_array().serialize(serializer)
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec3, D::Error> {
    <[f32; 3]>::deserialize(deserializer).map(Vec3::from_array)
}

/// The same for a vector that may be absent.
pub mod option {
    use super::*;

    pub fn serialize<S: Serializer>(vector: &Option<Vec3>, serializer: S) -> Result<S::Ok, S::Error> {
        vector.map(|vector| vector.to_array()).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec3>, D::Error> {
        Ok(Option::<[f32; 3]>::deserialize(deserializer)?.map(Vec3::from_array))
    }
}
