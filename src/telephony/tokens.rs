//! The cryptography under tokens, for jsonwebtoken: HMAC for LiveKit's tokens and our own, RSA and ECDSA to
//! check those of an identity provider. By ring, which is here for TLS already.
//!
//! A process has one such provider and the first one stays: ours goes in before livekit-api's, which knows
//! HMAC alone, and stands aside when there is one.

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey,
    crypto::{CryptoProvider, JwkUtils, JwtSigner, JwtVerifier},
    errors::{Error, ErrorKind, Result},
    signature::{Error as Mismatch, Signer, Verifier},
};
use ring::{
    hmac,
    signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey},
};

static PROVIDER: CryptoProvider = CryptoProvider { signer_factory, verifier_factory, jwk_utils: JwkUtils::new_unimplemented() };

/// Before the first token of this process is made or read; once more does nothing.
pub fn install() {
    // Another is there already: ours, or one that came first.
    let _ = PROVIDER.install_default();
}

struct Hs256(hmac::Key);
struct Rs256 {
    n: Vec<u8>,
    e: Vec<u8>,
}
struct Es256(Vec<u8>);

fn wrong(kind: ErrorKind) -> Error {
    Error::from(kind)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as jsonwebtoken calls it")]
fn signer_factory(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    match algorithm {
        Algorithm::HS256 => Ok(Box::new(Hs256(hmac::Key::new(hmac::HMAC_SHA256, key.try_get_hmac_secret()?)))),
        _ => Err(wrong(ErrorKind::InvalidAlgorithm)),
    }
}

/// A key serves its own family of algorithms alone: a public key is no shared secret.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as jsonwebtoken calls it")]
fn verifier_factory(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    match (algorithm, key.family(), key.kind()) {
        (Algorithm::HS256, AlgorithmFamily::Hmac, _) => Ok(Box::new(Hs256(hmac::Key::new(hmac::HMAC_SHA256, key.try_get_hmac_secret()?)))),
        (Algorithm::RS256, AlgorithmFamily::Rsa, DecodingKeyKind::RsaModulusExponent { n, e }) => Ok(Box::new(Rs256 { n: n.clone(), e: e.clone() })),
        (Algorithm::ES256, AlgorithmFamily::Ec, DecodingKeyKind::SecretOrDer(point)) => Ok(Box::new(Es256(point.clone()))),
        _ => Err(wrong(ErrorKind::InvalidAlgorithm)),
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Mismatch> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

macro_rules! verifiers {
    ($($name:ident as $algorithm:ident: |$key:ident, $message:ident, $signature:ident| $check:expr),+ $(,)?) => {$(
        impl Verifier<Vec<u8>> for $name {
            fn verify(&self, $message: &[u8], $signature: &Vec<u8>) -> std::result::Result<(), Mismatch> {
                let $key = self;
                $check.map_err(|_| Mismatch::new())
            }
        }

        impl JwtVerifier for $name {
            fn algorithm(&self) -> Algorithm {
                Algorithm::$algorithm
            }
        }
    )+};
}

verifiers!(
    Hs256 as HS256: |key, message, signature| hmac::verify(&key.0, message, signature),
    Rs256 as RS256: |key, message, signature| RsaPublicKeyComponents { n: &key.n, e: &key.e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature),
    Es256 as ES256: |key, message, signature| UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &key.0).verify(message, signature),
);
