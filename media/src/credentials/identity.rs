//! Who signs: an identity of this computer's own, made on first use, or a certificate of the user's.

use crate::Error;
use p256::{
    ecdsa::{Signature, SigningKey, signature::Signer as _},
    elliptic_curve::rand_core::OsRng,
    pkcs8::{EncodePrivateKey, LineEnding},
};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm,
};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

const KEY_FILE: &str = "signing-key.pem";
const CHAIN_FILE: &str = "signing-chain.pem";
/// What a made identity calls itself: nobody has checked who it is, and it says so.
const ORGANISATION: &str = "Holdfast, on a computer that nobody vouches for";
/// Certificates are good for this long: without a clock of somebody else's, a picture's is as old as its reading.
const VALID_YEARS: i32 = 30;

/// A certificate chain and its key, both PEM.
#[derive(Clone)]
pub struct Identity {
    pub(super) chain: String,
    pub(super) key: String,
    /// Where they came from, for errors.
    pub(super) place: PathBuf,
}

impl Identity {
    /// This computer's own, from `folder`; made there if there is none. Only the user can read the key.
    pub fn of_this_computer(folder: &Path) -> Result<Identity, Error> {
        match (fs::read_to_string(folder.join(KEY_FILE)), fs::read_to_string(folder.join(CHAIN_FILE))) {
            (Ok(key), Ok(chain)) => Ok(Identity { chain, key, place: folder.to_path_buf() }),
            (Err(error), _) | (_, Err(error)) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::Io { path: folder.to_path_buf(), error })
            }
            _ => {
                make(folder)?;
                let read = |name: &str| fs::read_to_string(folder.join(name)).map_err(Error::io(&folder.join(name)));
                Ok(Identity { key: read(KEY_FILE)?, chain: read(CHAIN_FILE)?, place: folder.to_path_buf() })
            }
        }
    }

    /// The user's own: a chain of certificates, the signer's first, and the key in PKCS #8.
    pub fn from_files(chain: &Path, key: &Path) -> Result<Identity, Error> {
        let read = |path: &Path| {
            let text = fs::read_to_string(path);
            text.map_err(|error| Error::Identity { path: path.to_path_buf(), reason: error.to_string() })
        };
        Ok(Identity { chain: read(chain)?, key: read(key)?, place: chain.to_path_buf() })
    }

    /// The certificates that this computer made for itself, if it has: signatures under them are known.
    pub fn anchors(folder: &Path) -> Option<String> {
        fs::read_to_string(folder.join(CHAIN_FILE)).ok()
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Identity").field("place", &self.place).finish_non_exhaustive()
    }
}

/// Makes an authority, a signer under it, and forgets the authority's key: nothing else will ever be signed by it.
fn make(folder: &Path) -> Result<(), Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Signing(format!("no identity could be made: {error}"));
    let (authority, signer) = (Key::random(), Key::random());
    // A few letters tell one computer's signatures from another's, and nothing about its owner.
    let tag = &blake3::hash(&signer.public).to_hex()[..8];

    let mut root = params(&format!("Holdfast local authority {tag}"));
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let root_pem = root.self_signed(&authority).map_err(|error| failed(&error))?.pem();

    let mut leaf = params(&format!("Holdfast local signer {tag}"));
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.use_authority_key_identifier_extension = true;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // C2PA asks for a purpose; of those that it takes, this one claims least.
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    let issuer = Issuer::from_params(&root, &authority);
    let leaf_pem = leaf.signed_by(&signer, &issuer).map_err(|error| failed(&error))?.pem();

    let key_pem = signer.secret.to_pkcs8_pem(LineEnding::LF).map_err(|error| failed(&error))?;
    fs::create_dir_all(folder).map_err(Error::io(folder))?;
    // The chain last: an identity without it is made anew.
    write_private(&folder.join(KEY_FILE), key_pem.as_bytes())?;
    write_private(&folder.join(CHAIN_FILE), format!("{leaf_pem}{root_pem}").as_bytes())
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, ORGANISATION);
    params.distinguished_name.push(DnType::CommonName, name);
    // From yesterday on: clocks differ.
    let now = time::OffsetDateTime::now_utc() - time::Duration::days(1);
    params.not_before = now;
    params.not_after = rcgen::date_time_ymd(now.year() + VALID_YEARS, 1, 1);
    params.serial_number = Some(rcgen::SerialNumber::from(Key::random_bytes().to_vec()));
    params
}

/// Writes beside, then renames; on Unix nobody but the user can read it at any moment.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let partial = path.with_extension(format!("{}.partial", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&partial).and_then(|mut file| file.write_all(bytes));
    written.and_then(|()| fs::rename(&partial, path)).map_err(Error::io(path))
}

struct Key {
    secret: SigningKey,
    public: Vec<u8>,
}

impl Key {
    fn random() -> Key {
        let secret = SigningKey::random(&mut OsRng);
        let public = secret.verifying_key().to_encoded_point(false).as_bytes().to_vec();
        Key { secret, public }
    }

    /// Sixteen positive bytes: a certificate's number.
    fn random_bytes() -> [u8; 16] {
        let mut bytes = [0; 16];
        p256::elliptic_curve::rand_core::RngCore::fill_bytes(&mut OsRng, &mut bytes);
        bytes[0] = bytes[0] & 0x7f | 0x40;
        bytes
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature: Signature = self.secret.sign(message);
        Ok(signature.to_der().as_bytes().to_vec())
    }
}
