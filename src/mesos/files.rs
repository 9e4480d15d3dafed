//! Reads the files of a task's sandbox through the agent that keeps it.
//!
//! Asks by READ_FILE and LIST_FILES of the agent's operator API: their data is in base64, so bytes come as they are in the
//! file, and each answer has the file's size beside it. `/files/read` has data as a JSON text, in which bytes that are no
//! UTF-8 are not to be told apart, and gives the size only to a question of its own; `/files/download` cannot begin in
//! the middle.
//!
//! Where an agent is, is said by its offers. It is not believed to send us elsewhere: no redirect is followed. What it may
//! answer has a greatest length, and a greatest time.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream::{self, Stream, StreamExt as _};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use super::transport::{Access, AccessError, told};
use super::wire::TimeInfo;
use crate::model::Timestamp;

/// The most that is asked for at once. Agents give less, 64 KiB by the recorded release.
pub const PIECE_MAX: u64 = 1 << 20;

/// The longest answer that is taken: a piece in base64 with room to spare, or a list of some ten thousand files.
const ANSWER_MAX: usize = 4 << 20;

/// How long an agent may take.
const ANSWER_TIME: Duration = Duration::from_secs(20);

/// How much of an error's text is repeated.
const MESSAGE_MAX: usize = 300;

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The bytes from the offset that was asked for. Fewer than were asked for are not the end; none are, or an offset
    /// beyond it.
    pub data: Vec<u8>,
    /// How long the file is now.
    pub size: u64,
}

/// A file or a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name, without what stands before it.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Its permissions and kind, as `stat` has them.
    pub mode: u32,
    /// Whose it is.
    pub user: String,
    /// When it was written last.
    pub written_at: Option<Timestamp>,
}

/// Why there is nothing to be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Nobody answers, or not now.
    #[error("the agent at {agent} is out of reach: {reason}")]
    Unreachable {
        /// `host:port`.
        agent: String,
        /// Why.
        reason: String,
    },
    /// The agent does not have it: the file is not there, or the sandbox has been cleaned away.
    #[error("the agent at {agent} does not have it any longer, or never had it")]
    Gone {
        /// `host:port`.
        agent: String,
    },
    /// The agent wants another login, or its ACLs do not permit it.
    #[error(
        "the agent at {agent} does not permit it: name a principal that may read sandboxes (ACL `access_sandboxes`) with \
         `--mesos_authentication_principal` and `--mesos_authentication_secret_file`"
    )]
    Forbidden {
        /// `host:port`.
        agent: String,
    },
    /// What answers is no agent, or says what cannot be understood.
    #[error("what answers at {agent} is not understood: {reason}")]
    Odd {
        /// `host:port`.
        agent: String,
        /// What it says.
        reason: String,
    },
}

/// Reads files of sandboxes.
#[derive(Debug, Clone)]
pub struct Files {
    http: Client,
    access: Access,
}

#[derive(Deserialize)]
struct ReadFile {
    size: u64,
    #[serde(default)]
    data: String,
}

#[derive(Deserialize)]
struct ListFiles {
    #[serde(default)]
    file_infos: Vec<FileInfo>,
}

#[derive(Deserialize)]
struct FileInfo {
    path: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    mode: u32,
    #[serde(default)]
    uid: String,
    mtime: Option<TimeInfo>,
}

/// The bits of a mode that say the kind, and what they say of a directory.
const KIND: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;

impl Files {
    /// A reader that shows this to agents.
    ///
    /// # Errors
    ///
    /// If TLS cannot be used.
    pub fn new(access: &Access) -> Result<Self, AccessError> {
        Ok(Self { http: access.client()?, access: access.clone() })
    }

    /// Reads at most `length` bytes, of which more than [`PIECE_MAX`] are not read at once. `agent` is as in
    /// `model::Sandbox`, `path` the directory there with a `/` and the file's name.
    ///
    /// # Errors
    ///
    /// [`FileError`].
    pub async fn read(
        &self,
        agent: &str,
        path: &str,
        offset: u64,
        length: u64,
    ) -> Result<Piece, FileError> {
        let length = length.min(PIECE_MAX);
        // Signed where it is read; nothing is that long.
        let offset = offset.min(i64::MAX.unsigned_abs());
        let question = json!({
            "type": "READ_FILE",
            "read_file": {"path": path, "offset": offset, "length": length},
        });
        let (at, answer) = self.ask(agent, &question, "read_file").await?;
        let odd = |reason: String| FileError::Odd { agent: at.clone(), reason };
        let ReadFile { size, data } =
            serde_json::from_value(answer).map_err(|error| odd(error.to_string()))?;
        let mut data = STANDARD.decode(data).map_err(|error| odd(format!("its data: {error}")))?;
        data.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(Piece { data, size })
    }

    /// How long the file is now.
    ///
    /// # Errors
    ///
    /// [`FileError`].
    pub async fn size(&self, agent: &str, path: &str) -> Result<u64, FileError> {
        self.read(agent, path, 0, 1).await.map(|piece| piece.size)
    }

    /// What is in a directory, sorted by name.
    ///
    /// # Errors
    ///
    /// [`FileError`].
    pub async fn list(&self, agent: &str, directory: &str) -> Result<Vec<File>, FileError> {
        let question = json!({"type": "LIST_FILES", "list_files": {"path": directory}});
        let (at, answer) = self.ask(agent, &question, "list_files").await?;
        let ListFiles { file_infos } = serde_json::from_value(answer)
            .map_err(|error| FileError::Odd { agent: at, reason: error.to_string() })?;
        let mut files: Vec<_> = file_infos.into_iter().filter_map(File::of).collect();
        files.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(files)
    }

    /// The whole file as it is long at the beginning, piece by piece. Ends after an error.
    pub fn download(
        &self,
        agent: &str,
        path: &str,
    ) -> impl Stream<Item = Result<Vec<u8>, FileError>> + Send + use<> {
        let begin = Download {
            files: self.clone(),
            agent: agent.to_owned(),
            path: path.to_owned(),
            offset: 0,
            end: None,
        };
        stream::unfold(Some(begin), |download| async move { download?.next().await })
    }

    /// Asks an agent; `part` of the answer is what it is about.
    async fn ask(
        &self,
        agent: &str,
        question: &Value,
        part: &str,
    ) -> Result<(String, Value), FileError> {
        // What is on record may be from before TLS was asked for; a login must not go there in clear.
        let in_clear = agent.strip_prefix("http://").filter(|_| self.access.expects_tls());
        let agent = in_clear.map_or_else(|| agent.to_owned(), |rest| format!("https://{rest}"));
        let (url, at) = door(&agent)?;
        let unreachable = |reason: String| FileError::Unreachable { agent: at.clone(), reason };
        let request = self
            .http
            .post(url)
            .timeout(ANSWER_TIME)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .body(question.to_string());
        let response =
            self.access.with(request).send().await.map_err(|error| unreachable(told(&error)))?;
        let status = response.status().as_u16();
        let mut bytes = Vec::new();
        let mut body = Box::pin(response.bytes_stream());
        while let Some(piece) = body.next().await {
            bytes.extend_from_slice(&piece.map_err(|error| unreachable(told(&error)))?);
            if bytes.len() > ANSWER_MAX {
                let reason = format!("its answer has more than {ANSWER_MAX} bytes");
                return Err(FileError::Odd { agent: at, reason });
            }
        }
        let text = || {
            let text = String::from_utf8_lossy(&bytes);
            let text: String = text.trim().chars().take(MESSAGE_MAX).collect();
            if text.is_empty() { String::new() } else { format!(": {}", text.escape_debug()) }
        };
        match status {
            200 => {
                let mut answer: Value = match serde_json::from_slice(&bytes) {
                    Ok(answer) => answer,
                    Err(error) => {
                        let reason = format!("its answer is no JSON ({error})");
                        return Err(FileError::Odd { agent: at, reason });
                    }
                };
                match answer.get_mut(part).map(Value::take) {
                    Some(part) => Ok((at, part)),
                    None => {
                        let reason = format!("its answer has no `{part}`");
                        Err(FileError::Odd { agent: at, reason })
                    }
                }
            }
            401 | 403 => Err(FileError::Forbidden { agent: at }),
            404 => Err(FileError::Gone { agent: at }),
            500..=599 => Err(unreachable(format!("it answers {status}{}", text()))),
            300..=399 => {
                let reason = format!("it answers {status}; agents do not send us elsewhere");
                Err(FileError::Odd { agent: at, reason })
            }
            _ => {
                Err(FileError::Odd { agent: at, reason: format!("it answers {status}{}", text()) })
            }
        }
    }
}

/// Where an agent is asked, and how it is called in messages.
fn door(agent: &str) -> Result<(Url, String), FileError> {
    let parsed = Url::parse(agent).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    });
    let Some(mut url) = parsed else {
        return Err(FileError::Unreachable {
            // It may hold a login.
            agent: "an unreadable address".to_owned(),
            reason: "its offers did not say `http://host:port`".to_owned(),
        });
    };
    url.set_path("/api/v1");
    url.set_query(None);
    url.set_fragment(None);
    let host = url.host_str().unwrap_or_default();
    let at = url.port_or_known_default().map_or(host.to_owned(), |port| format!("{host}:{port}"));
    Ok((url, at))
}

impl File {
    fn of(info: FileInfo) -> Option<Self> {
        let FileInfo { path, size, mode, uid, mtime } = info;
        let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
        Some(Self {
            name: name.to_owned(),
            size,
            is_directory: mode & KIND == DIRECTORY,
            mode,
            user: uid,
            written_at: mtime.and_then(|at| Timestamp::from_nanosecond(at.nanoseconds.into()).ok()),
        })
    }
}

struct Download {
    files: Files,
    agent: String,
    path: String,
    offset: u64,
    end: Option<u64>,
}

impl Download {
    async fn next(mut self) -> Option<(Result<Vec<u8>, FileError>, Option<Self>)> {
        let left = match self.end {
            Some(end) => end.saturating_sub(self.offset),
            None => PIECE_MAX,
        };
        if left == 0 {
            return None;
        }
        match self.files.read(&self.agent, &self.path, self.offset, left).await {
            // It was cut short meanwhile, or is empty.
            Ok(Piece { data, size: _ }) if data.is_empty() => None,
            Ok(Piece { mut data, size }) => {
                let end = *self.end.get_or_insert(size);
                let left = end.saturating_sub(self.offset);
                data.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                self.offset = self.offset.saturating_add(data.len() as u64);
                Some((Ok(data), Some(self)))
            }
            Err(error) => Some((Err(error), None)),
        }
    }
}
