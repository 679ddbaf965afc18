//! Content credentials (C2PA): a signed statement inside the file of what made it, and of what.
//!
//! Source: C2PA Technical Specification 2.1, sections 10 (claims), 14 (trust), 18 (assertions).

mod identity;
mod reading;
mod signing;
mod statement;

pub use identity::Identity;
pub use reading::{Credentials, Reading, State, read};
pub use signing::{Signer, sign};
pub use statement::{Origin, Start, Statement};

/// Nothing is fetched and nothing is asked of anybody: signing and reading work offline. No thumbnails: the library
/// warns of them where it is built without.
const OFFLINE: &str = r#"{
    "builder": { "thumbnail": { "enabled": false } },
    "verify": { "verify_after_sign": false, "ocsp_fetch": false, "remote_manifest_fetch": false },
    "core": { "allowed_network_hosts": [] }
}"#;

/// Settings of the C2PA library; those whose certificates stand in `anchors` (PEM) are known.
fn context(anchors: Option<&str>) -> Result<c2pa::Context, c2pa::Error> {
    let mut settings = c2pa::settings::Settings::new().with_json(OFFLINE)?;
    if let Some(anchors) = anchors {
        settings = settings.with_value("trust.user_anchors", anchors)?;
    }
    c2pa::Context::new().with_settings(settings)
}
