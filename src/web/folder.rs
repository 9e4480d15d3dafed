//! Files as they are in a folder at this moment: for whoever changes them and looks what comes of it.
//!
//! A path is a client's text. It leads nowhere but below the folder, also where a link in there leads out of it.

use std::io;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;

use super::INDEX;

/// A folder, by its path without links.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Looks whether it can be the page's.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        if !path.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is no directory"));
        }
        if !path.join(INDEX).is_file() {
            let problem = format!("there is no `{INDEX}` in it");
            return Err(io::Error::new(io::ErrorKind::NotFound, problem));
        }
        Ok(Self(path))
    }

    /// A file in it.
    pub(super) async fn read(&self, path: &str) -> Option<Bytes> {
        let parts = Path::new(path).components();
        let is_name = |part: Component<'_>| match part {
            Component::Normal(name) => !name.as_encoded_bytes().starts_with(b"."),
            Component::Prefix(_)
            | Component::RootDir
            | Component::CurDir
            | Component::ParentDir => false,
        };
        if !parts.clone().all(is_name) || path.contains('\0') {
            return None;
        }
        match self.find(path).await {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(path, %error, "a file of the web page cannot be read");
                None
            }
        }
    }

    async fn find(&self, path: &str) -> io::Result<Option<Bytes>> {
        let found = tokio::fs::canonicalize(self.0.join(path)).await?;
        // Whoever reads a pipe waits for its writer.
        if !found.starts_with(&self.0) || !tokio::fs::metadata(&found).await?.is_file() {
            return Ok(None);
        }
        tokio::fs::read(found).await.map(|bytes| Some(bytes.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[tokio::test]
    async fn no_path_leads_out_of_the_folder() {
        let place = tempfile::tempdir().unwrap();
        let (web, outside) = (place.path().join("web"), place.path().join("web-outside"));
        fs::create_dir_all(web.join("lib")).unwrap();
        fs::create_dir(&outside).unwrap();
        for (path, text) in [
            ("web/index.html", "i"),
            ("web/lib/a.js", "a"),
            ("web/.env.js", "s"),
            ("web-outside/s.js", "s"),
        ] {
            fs::write(place.path().join(path), text).unwrap();
        }
        symlink("lib/a.js", web.join("inside.js")).unwrap();
        symlink(outside.join("s.js"), web.join("leads-out.js")).unwrap();
        symlink(&outside, web.join("out")).unwrap();
        let linked = place.path().join("linked");
        symlink(&web, &linked).unwrap();
        for folder in [&web, &linked] {
            let folder = Folder::open(folder).unwrap();
            for (path, expected) in
                [("index.html", "i"), ("lib/a.js", "a"), ("inside.js", "a"), ("lib//a.js", "a")]
            {
                assert_eq!(folder.read(path).await.unwrap(), expected, "{path}");
            }
            let absolute = outside.join("s.js");
            for path in [
                "../web-outside/s.js",
                "lib/../../web-outside/s.js",
                "..",
                ".env.js",
                "leads-out.js",
                "out/s.js",
                "lib",
                "",
                "nowhere.js",
                "a\0.js",
                absolute.to_str().unwrap(),
            ] {
                assert_eq!(folder.read(path).await, None, "{path}");
            }
        }
    }

    #[test]
    fn a_folder_without_a_page_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let problem = |path: &Path| Folder::open(path).unwrap_err().to_string();
        assert_eq!(problem(place.path()), "there is no `index.html` in it");
        assert!(problem(&place.path().join("nowhere")).contains("No such file"));
        fs::write(place.path().join("index.html"), "").unwrap();
        assert!(Folder::open(place.path()).is_ok());
        assert_eq!(problem(&place.path().join("index.html")), "it is no directory");
    }

    #[tokio::test]
    async fn a_file_is_what_it_is_when_it_is_asked_for() {
        let place = tempfile::tempdir().unwrap();
        let page = place.path().join("index.html");
        fs::write(&page, "one").unwrap();
        let folder = Folder::open(place.path()).unwrap();
        assert_eq!(folder.read(INDEX).await.unwrap(), "one");
        fs::write(&page, "two").unwrap();
        assert_eq!(folder.read(INDEX).await.unwrap(), "two");
        fs::remove_file(&page).unwrap();
        assert_eq!(folder.read(INDEX).await, None);
    }
}
