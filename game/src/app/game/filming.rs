//! The generator's side of recording: what the player switches on and off, and what is known of the world's origin.

use super::Game;
use crate::{
    app::{
        film::{Film, Opening},
        generator::{Event, Outlet, Recorded},
    },
    export::{Exporter, credited},
};
use holdfast_media::credentials;

impl Game {
    /// Begins a film, or ends the one that runs.
    pub(super) fn switch_film(&mut self, outlet: &Outlet) {
        if self.film.as_ref().is_some_and(Film::is_running) {
            return self.end_film();
        }
        let refuse = |reason: &str| outlet.say(Event::News(format!("not recording: {reason}")));
        if !self.alive {
            return refuse("there is no world yet");
        }
        if self.film.as_ref().is_some_and(|film| !film.is_done()) {
            return refuse("the last recording is being finished; try again in a moment");
        }
        let Some(folder) = self.recordings.clone() else {
            return refuse("there is no folder for it; start with --recordings DIR");
        };
        let tick = self.line.actions.len() as u64;
        let opening = Opening {
            folder,
            stem: format!("holdfast-{}-{tick:06}", self.seed),
            tick,
            world: self.world().map(Box::new),
            exporter: self.exporter.clone(),
        };
        let tell = outlet.clone();
        match Film::start(opening, Box::new(move |news| tell.say(Event::News(news)))) {
            Ok(film) => self.film = Some(film),
            Err(error) => refuse(&error.to_string()),
        }
    }

    /// Ends the film, if one runs; its thread finishes it.
    pub(super) fn end_film(&mut self) {
        if let Some(film) = &mut self.film {
            film.end();
        }
    }

    /// Says anew how the world came to be, after a line began or was cut.
    pub(super) fn credit(&mut self) {
        self.exporter = self.about.as_ref().map(|about| {
            let model = credentials::Origin::Model { name: about.model_name.clone(), hash: about.model_hash.clone() };
            let mut exporter = Exporter::new(self.seal.clone(), model, credited(&self.line.origin));
            self.line.actions.iter().for_each(|action| exporter.act(action));
            exporter
        });
    }

    pub(super) fn recorded(&self) -> Option<Recorded> {
        let film = self.film.as_ref().filter(|film| film.is_running());
        let scribe = self.scribe.as_ref().filter(|scribe| scribe.is_running());
        match (film, scribe) {
            (Some(film), _) => Some(Recorded { ticks: film.ticks(), dropped: film.dropped(), is_film: true }),
            (None, Some(scribe)) => Some(Recorded { ticks: scribe.ticks(), dropped: 0, is_film: false }),
            (None, None) => None,
        }
    }
}
