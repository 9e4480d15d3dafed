//! From what a request shows to who asks.
//!
//! `Authorization: Bearer TOKEN` and `Authorization: Basic base64(NAME:SECRET)`, where the secret is a password or a
//! token: clients of Chronos know Basic alone. What is missing, wrong or no longer valid is 401, before anything else
//! is looked at.
//!
//! A password costs tens of milliseconds of a core on purpose. So that a flood of wrong ones does not cost everybody
//! everything, only few are tried at one time, few wait for it and fewer of one peer, and whoever was let in by one and
//! goes on asking is known by a keyed hash of what was shown. A name that nobody has costs as much as one that has a password.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use tokio::sync::Semaphore;

use super::secret::{Hash, HashError, random};
use super::{Credential, check_name};
use crate::api::access::Caller;
use crate::api::error::ApiError;
use crate::model::{BootInstant, Duration, Now};

/// Passwords that are tried at one time.
const TRIED_MAX: usize = 2;
/// Requests whose passwords are tried or wait for it; more are told to come again.
const WAITING_MAX: usize = 32;
/// Of those, how many may be one peer's: a flood from one place leaves places to the others.
const WAITING_PER_PEER_MAX: usize = 8;
/// How long after their last request whoever was let in by a password is known without trying it again.
const KNOWN_FOR: Duration = Duration::from_secs(600);
/// How long after the password was tried they are known at most.
const KNOWN_FOR_MAX: Duration = Duration::from_hours(12);

/// Lets in whoever has credentials.
#[derive(Debug)]
pub struct Authenticator {
    now: fn() -> Now,
    /// What an answer without credentials asks for.
    challenges: [HeaderValue; 2],
    set: RwLock<Arc<Set>>,
    trying: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// How many of them are whose; nobody with none is in it.
    peers: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
    /// Compared with when nobody has the name.
    nobody: Hash,
}

/// The credentials in force.
#[derive(Debug)]
struct Set {
    credentials: Vec<Credential>,
    /// Hashes what was shown, so that no secret is kept. Another one of each set, so that nothing outlives it.
    key: hmac::Key,
    /// Whose password it was, by the hash of name and password.
    known: Mutex<BTreeMap<[u8; 32], Known>>,
}

/// A password that was right.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// Whose it is, of the credentials.
    index: usize,
    tried_at: BootInstant,
    /// When it was last shown.
    shown_at: BootInstant,
}

/// One of the places of a peer, given back when it is dropped.
#[derive(Debug)]
struct Place {
    peers: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
    peer: IpAddr,
}

impl Place {
    /// Takes one if the peer has not all of its own.
    fn take(peers: &Arc<Mutex<BTreeMap<IpAddr, usize>>>, peer: IpAddr) -> Option<Self> {
        let mut taken = peers.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(peer).or_insert(0);
        if *count >= WAITING_PER_PEER_MAX {
            return None;
        }
        *count += 1;
        Some(Self { peers: Arc::clone(peers), peer })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.peer);
            }
        }
    }
}

/// Those who share places: an address, or the network of 64 bits that one site has of version 6.
fn site(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        IpAddr::V4(ip) => IpAddr::V4(ip),
    }
}

/// What a request shows.
enum Shown<'a> {
    Bearer(&'a str),
    Basic { name: String, secret: String },
}

impl Authenticator {
    /// Lets in whoever has one of these. `realm` is what browsers show.
    ///
    /// # Errors
    ///
    /// [`HashError`]: the system has no random bytes.
    pub fn new(
        credentials: Vec<Credential>,
        realm: &str,
        now: fn() -> Now,
    ) -> Result<Self, HashError> {
        let realm: String = realm.chars().filter(|c| is_realm(*c)).collect();
        let challenge = |scheme: &str| {
            HeaderValue::try_from(format!("{scheme} realm=\"{realm}\""))
                .expect("only visible ASCII was let through")
        };
        Ok(Self {
            now,
            challenges: [challenge("Basic"), challenge("Bearer")],
            set: RwLock::new(Arc::new(Set::new(credentials)?)),
            trying: Arc::new(Semaphore::new(TRIED_MAX)),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            peers: Arc::default(),
            nobody: Hash::of_password("")?,
        })
    }

    /// Lets in whoever has one of these from now on, and nobody else.
    ///
    /// # Errors
    ///
    /// [`HashError`]: the system has no random bytes; the old ones stay in force.
    pub fn replace(&self, credentials: Vec<Credential>) -> Result<(), HashError> {
        let set = Arc::new(Set::new(credentials)?);
        *self.set.write().unwrap_or_else(PoisonError::into_inner) = set;
        Ok(())
    }

    /// The credentials in force.
    #[must_use]
    pub fn credentials(&self) -> Vec<Credential> {
        self.set().credentials.clone()
    }

    /// Who sent a request with these headers, from the address `peer`.
    pub(crate) async fn authenticate(
        &self,
        headers: &HeaderMap,
        peer: IpAddr,
    ) -> Result<Caller, ApiError> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return Err(self
                .challenge("credentials_missing", "this needs credentials")
                .remedy("send a token (`Authorization: Bearer …`) or name and password (Basic)"));
        };
        let shown = value.to_str().ok().filter(|_| values.next().is_none()).and_then(Shown::parse);
        let shown = shown.ok_or_else(|| {
            self.challenge("credentials_unreadable", "the header `Authorization` cannot be read")
                .remedy("send it once, as `Bearer TOKEN` or `Basic` with base64 of `NAME:PASSWORD`")
        })?;
        let set = self.set();
        let found = match &shown {
            Shown::Bearer(token) => set.by_token(token),
            Shown::Basic { name, secret } => self.by_name(&set, name, secret, peer).await?,
        };
        let credential = found.map(|index| &set.credentials[index]).ok_or_else(|| {
            self.challenge("credentials_wrong", "nobody is let in with these credentials")
                .remedy("check them, or ask an administrator for others")
        })?;
        if credential.is_expired((self.now)().wall) {
            let message = format!("the credentials of `{}` are no longer valid", credential.name);
            return Err(self
                .challenge("credentials_expired", message)
                .remedy("ask an administrator for others"));
        }
        Ok(credential.caller())
    }

    async fn by_name(
        &self,
        set: &Arc<Set>,
        name: &str,
        secret: &str,
        peer: IpAddr,
    ) -> Result<Option<usize>, ApiError> {
        let index = set.credentials.iter().position(|credential| *credential.name == *name);
        let hash = index.map(|index| set.credentials[index].hash.clone());
        let (index, hash) = match hash {
            // A token costs nothing to compare. A wrong one costs what a wrong password does, so that the time it takes
            // tells nobody which names there are.
            Some(hash @ Hash::Token(_)) if hash.is_of(secret) => return Ok(index),
            Some(Hash::Token(_)) | None => (None, self.nobody.clone()),
            Some(hash @ Hash::Password(_)) => (index, hash),
        };
        let shown = set.digest(name, secret);
        let now = (self.now)().boot;
        if set.knows(&shown, now) == index && index.is_some() {
            return Ok(index);
        }
        let busy = || {
            ApiError::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_attempts",
                "too many passwords are being tried",
            )
            .remedy("try again in 1 s; a token is never made to wait")
            .header(RETRY_AFTER, HeaderValue::from(1))
        };
        let place = Place::take(&self.peers, site(peer)).ok_or_else(busy)?;
        let waiting = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| busy())?;
        let trying = Arc::clone(&self.trying).acquire_owned().await.map_err(|_| busy())?;
        let secret = secret.to_owned();
        // The thread has the places: it goes on when the client has gone.
        let is_right = tokio::task::spawn_blocking(move || {
            let is_right = hash.is_of(&secret);
            drop((place, waiting, trying));
            is_right
        });
        let is_right = is_right.await.unwrap_or(false);
        let index = index.filter(|_| is_right);
        if let Some(index) = index {
            set.lock().insert(shown, Known { index, tried_at: now, shown_at: now });
        }
        Ok(index)
    }

    fn challenge(&self, code: &'static str, message: impl Into<String>) -> ApiError {
        let error = ApiError::new(StatusCode::UNAUTHORIZED, code, message);
        let challenges = self.challenges.iter().cloned();
        challenges.fold(error, |error, challenge| error.header(WWW_AUTHENTICATE, challenge))
    }

    /// Takes every place of those who wait, as a flood does.
    #[cfg(test)]
    pub(super) fn fill_places(&self) -> tokio::sync::OwnedSemaphorePermit {
        let places = u32::try_from(WAITING_MAX).expect("a small number");
        Arc::clone(&self.waiting).try_acquire_many_owned(places).expect("nobody waits")
    }

    fn set(&self) -> Arc<Set> {
        Arc::clone(&self.set.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// That somebody was let in, for as long as it lasts: an answer without end must not outlive the credential.
#[derive(Debug, Clone, Default)]
pub(crate) struct Admission(Option<(Arc<Authenticator>, Option<Credential>)>);

impl Admission {
    /// Of a caller who has just been let in; of `None` it lasts for ever.
    pub(crate) fn of(authenticator: Option<&Arc<Authenticator>>, caller: &Caller) -> Self {
        let Some(authenticator) = authenticator else { return Self(None) };
        let found = authenticator.set().of_name(&caller.name).cloned();
        Self(Some((Arc::clone(authenticator), found)))
    }

    /// Whether anybody needs credentials.
    pub(crate) const fn needs_credentials(&self) -> bool {
        self.0.is_some()
    }

    /// Whether the credential of the caller is in force as it was, and not expired: one with another secret, role, scope
    /// or end is another, with which they may come again. What became of those of others does not matter.
    pub(crate) fn holds(&self) -> bool {
        let Some((authenticator, found)) = &self.0 else { return true };
        let Some(found) = found else { return false };
        let now = (authenticator.now)().wall;
        let is_expired = found.expires.is_some_and(|expires| expires <= now);
        !is_expired && authenticator.set().of_name(&found.name) == Some(found)
    }
}

/// Whether a realm may contain it: it stands in quotes, in a header.
#[must_use]
pub(crate) const fn is_realm(c: char) -> bool {
    matches!(c, ' '..='~') && !matches!(c, '"' | '\\')
}

impl Set {
    fn new(credentials: Vec<Credential>) -> Result<Self, HashError> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &random::<32>()?);
        Ok(Self { credentials, key, known: Mutex::new(BTreeMap::new()) })
    }

    fn of_name(&self, name: &str) -> Option<&Credential> {
        self.credentials.iter().find(|credential| *credential.name == *name)
    }

    /// Compares with every token there is, so that how long it takes says nothing.
    fn by_token(&self, token: &str) -> Option<usize> {
        let shown = Hash::of_token(token);
        let mut found = None;
        for (index, credential) in self.credentials.iter().enumerate() {
            if credential.hash.is_same_token(&shown) {
                found = Some(index);
            }
        }
        found
    }

    fn digest(&self, name: &str, secret: &str) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        // A name has no NUL in it, so no two pairs are hashed alike.
        for part in [name, "\0", secret] {
            context.update(part.as_bytes());
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }

    /// Whose password this is known to be; they are known for longer by asking.
    fn knows(&self, shown: &[u8; 32], now: BootInstant) -> Option<usize> {
        let mut all = self.lock();
        let known = all.get_mut(shown)?;
        if now >= known.shown_at.saturating_add(KNOWN_FOR)
            || now >= known.tried_at.saturating_add(KNOWN_FOR_MAX)
        {
            all.remove(shown);
            return None;
        }
        known.shown_at = now;
        Some(known.index)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<[u8; 32], Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Shown<'a> {
    fn parse(header: &'a str) -> Option<Self> {
        let (scheme, value) = header.trim().split_once(' ')?;
        let value = value.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return (!value.is_empty()).then_some(Self::Bearer(value));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
        let (name, secret) = decoded.split_once(':')?;
        // What is no name is nobody's, but it is not repeated either.
        check_name(name).ok()?;
        Some(Self::Basic { name: name.to_owned(), secret: secret.to_owned() })
    }
}
