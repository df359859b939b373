//! The hosts of one service.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use super::books::{Books, Why};
use super::error::TurnError;
use super::keeper::Keeper;
use super::recipe::{Recipe, Recipes, Site};
use super::request::{Answer, Listener, Request};
use super::serve::Job;
use super::settings::Settings;
use super::unfit::Unfit;
use super::warm::Warm;
use crate::launch::Launcher;
use crate::tool::{ToolError, locate};

/// The hosts of one service. Dropping it ends all of them.
#[derive(Debug)]
pub struct Hosts {
    inner: Arc<Inner>,
    unfit: Unfit,
}

/// How many hosts there are, and what they take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Census {
    /// Hosts, those that are starting among them.
    pub hosts: usize,
    /// Bytes, as last measured.
    pub bytes: u64,
}

/// What is shared with those who hold something of the pool.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) launcher: Arc<Launcher>,
    pub(super) settings: Settings,
    pub(super) recipes: Recipes,
    pub(super) keeper: Keeper,
    books: Mutex<Books<Box<Warm>>>,
}

impl Inner {
    /// Looks into the books or changes them, and lets those hosts end that have to.
    pub(super) fn with_books<T>(&self, change: impl FnOnce(&mut Books<Box<Warm>>) -> T) -> T {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut books);
        let ended = books.take_ended();
        drop(books);
        self.dismiss(ended);
        changed
    }

    fn dismiss(&self, ended: Vec<(Box<Warm>, Why)>) {
        for (host, why) in ended {
            self.keeper.dismiss(host, why);
        }
    }
}

impl Hosts {
    /// A pool without any host yet.
    pub fn new(launcher: Arc<Launcher>, settings: Settings) -> Self {
        let (recipes, books) = (Recipes::default(), Mutex::new(Books::new(settings)));
        let inner = Inner { launcher, settings, recipes, books, keeper: Keeper::default() };
        Self { inner: Arc::new(inner), unfit: Unfit::default() }
    }

    /// Takes one turn, to its end or until `stop`. None when the code has to run by itself: its runtime has no host, or a
    /// host refused the file.
    pub async fn turn(
        &self,
        site: &Site<'_>,
        request: &Request<'_>,
        listener: &mut impl Listener,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<Option<Answer>, TurnError> {
        let Some((recipe, file)) = self.find(site, request)? else { return Ok(None) };
        // The protocol has paths as text.
        let Some(path) = file.to_str() else { return Ok(None) };
        let job = Job { recipe: &recipe, request, file: path };
        let answer = self.inner.take_turn(job, listener, pin!(stop)).await?;
        if let Answer::Unfit { reason } = &answer {
            tracing::debug!(file = path, reason, "A file does not run warm");
            self.unfit.note(&file);
        }
        Ok(Some(answer))
    }

    fn find(
        &self,
        site: &Site<'_>,
        request: &Request<'_>,
    ) -> Result<Option<(Arc<Recipe>, PathBuf)>, TurnError> {
        let recipe = self.inner.recipes.find(site).map_err(prepare)?;
        let Some(recipe) = recipe else { return Ok(None) };
        let file = locate(&site.code.directory, request.entrypoint).map_err(prepare)?;
        Ok((!self.unfit.has(&file)).then_some((recipe, file)))
    }

    /// How many hosts there are, and what they take.
    pub fn census(&self) -> Census {
        self.inner.with_books(|books| Census { hosts: books.hosts(), bytes: books.bytes() })
    }

    /// Ends all hosts that have nothing to do, and waits for that. Turns should be over.
    pub async fn end(&self) {
        self.inner.with_books(Books::close);
        self.inner.keeper.all_ended().await;
    }
}

fn prepare(error: ToolError) -> TurnError {
    TurnError::Prepare(error.into())
}
