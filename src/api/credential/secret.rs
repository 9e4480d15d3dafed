//! Secrets: made, hashed, compared. A secret itself is never kept or printed.

use std::fmt;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use subtle::ConstantTimeEq as _;

/// What every token begins with, so that people and scanners of repositories recognise one.
const TOKEN_PREFIX: &str = "chd_";
const TOKEN_BYTES: usize = 32;
const SALT_BYTES: usize = 16;

/// Secrets that stand in documents and examples, of Chronos, of its peers and of our own. Known to everybody, so no
/// secrets. Compared without case.
pub const SAMPLE_SECRETS: [&str; 24] = [
    "admin",
    "password",
    "passw0rd",
    "secret",
    "changeme",
    "change_me",
    "change-me",
    "default",
    "default_token",
    "chronos",
    "chronode",
    "mesos",
    "mesosphere",
    "marathon",
    "user",
    "root",
    "test",
    "guest",
    "token",
    "example",
    "letmein",
    "12345678",
    "123456",
    "qwerty",
];

/// What a secret hashes to.
#[derive(Clone, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256 of a token.
    Token([u8; 32]),
    /// Argon2id of a password, in the form `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
    Password(String),
}

/// Why a secret could not be hashed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The system has no random bytes to give.
    #[error("the system gives no random bytes")]
    Random,
    /// The library refuses.
    #[error("the password cannot be hashed: {0}")]
    Argon2(String),
}

/// A token that nobody has had before.
///
/// # Errors
///
/// [`HashError::Random`]
pub fn new_token() -> Result<String, HashError> {
    let bytes: [u8; TOKEN_BYTES] = random()?;
    Ok(format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

impl Hash {
    /// Hashes a token.
    #[must_use]
    pub fn of_token(token: &str) -> Self {
        Self::Token(sha256(token))
    }

    /// Hashes a password, which takes tens of milliseconds.
    ///
    /// # Errors
    ///
    /// [`HashError`]
    pub fn of_password(password: &str) -> Result<Self, HashError> {
        let salt: [u8; SALT_BYTES] = random()?;
        let hash: PasswordHash = Argon2::default()
            .hash_password_with_salt(password.as_bytes(), &salt)
            .map_err(|error| HashError::Argon2(error.to_string()))?;
        Ok(Self::Password(hash.to_string()))
    }

    /// Reads `sha256:…` of a token.
    pub(super) fn token(text: &str) -> Result<Self, String> {
        let wrong = || "`hash` of a token is no `sha256:` with 64 hexadecimal digits".to_owned();
        let digits =
            text.strip_prefix("sha256:").filter(|digits| digits.len() == 64).ok_or_else(wrong)?;
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let pair = digits.get(2 * index..2 * index + 2).ok_or_else(wrong)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        if SAMPLE_SECRETS.iter().any(|sample| sha256(sample) == bytes) {
            return Err(
                "its token is one that stands in examples: make one with `chronode credential add`"
                    .to_owned(),
            );
        }
        Ok(Self::Token(bytes))
    }

    /// Reads the hash of a password.
    pub(super) fn password(text: &str) -> Result<Self, String> {
        let is_argon2id = text.starts_with("$argon2id$") && PasswordHash::new(text).is_ok();
        if is_argon2id {
            Ok(Self::Password(text.to_owned()))
        } else {
            Err("`hash` of a password is no `$argon2id$…`: make one with `chronode credential add`"
                .to_owned())
        }
    }

    /// The word for what it is of.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Password(_) => "password",
        }
    }

    /// Whether both are of the same token.
    pub(super) fn is_same_token(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Token(one), Self::Token(two)) => bool::from(one.ct_eq(two)),
            (Self::Token(_) | Self::Password(_), Self::Token(_) | Self::Password(_)) => false,
        }
    }

    /// Whether `secret` is the one. Of a password this takes tens of milliseconds and about 20 MiB. How long it takes
    /// says nothing about how much of a secret is right.
    #[must_use]
    pub fn is_of(&self, secret: &str) -> bool {
        match self {
            Self::Token(hash) => bool::from(hash.ct_eq(&sha256(secret))),
            Self::Password(hash) => PasswordHash::new(hash).is_ok_and(|hash| {
                Argon2::default().verify_password(secret.as_bytes(), &hash).is_ok()
            }),
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(bytes) => {
                f.write_str("sha256:")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::Password(hash) => f.write_str(hash),
        }
    }
}

impl fmt::Debug for Hash {
    /// Without the hash, which is worth guessing at.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({})", self.kind())
    }
}

fn sha256(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    bytes
}

/// Random bytes of the system's.
pub(super) fn random<const N: usize>() -> Result<[u8; N], HashError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| HashError::Random)?;
    Ok(bytes)
}
