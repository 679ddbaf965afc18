//! The threads that share out the work of one frame.

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::Mutex;

/// Threads that are kept from one frame to the next.
#[derive(Debug, Default)]
pub struct Crew {
    /// None for one thread: the caller's own.
    pool: Option<ThreadPool>,
}

impl Crew {
    /// A crew of `threads`; fewer where the system gives no more.
    pub fn new(threads: usize) -> Crew {
        let builder = ThreadPoolBuilder::new().num_threads(threads).thread_name(|index| format!("frame {index}"));
        Crew { pool: (threads > 1).then(|| builder.build().ok()).flatten() }
    }

    pub fn threads(&self) -> usize {
        self.pool.as_ref().map_or(1, ThreadPool::current_num_threads)
    }

    /// Does `work` on one of the threads, from which [`Crew::each`] reaches the others without waking anyone.
    pub fn lead<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// Does `work` on each part, the threads taking the parts in turn as they come. Within [`Crew::lead`].
    pub fn each<T>(&self, parts: impl Iterator<Item = T> + Send, work: impl Fn(T) + Sync) {
        if self.pool.is_none() {
            return parts.for_each(work);
        }
        let parts = Mutex::new(parts);
        // A poisoned lock means that another thread panicked: so does this one, and `join` carries it on.
        let next = || parts.lock().expect("no thread panics").next();
        share(self.threads(), &|| {
            while let Some(part) = next() {
                work(part);
            }
        });
    }
}

/// Runs `work` on up to `threads` threads at once. One that comes late finds nothing left to do.
fn share(threads: usize, work: &(impl Fn() + Sync)) {
    match threads {
        0 | 1 => work(),
        _ => {
            rayon::join(|| share(threads / 2, work), || share(threads - threads / 2, work));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_done_once_by_any_number_of_threads() {
        for threads in [1, 2, 3, 7] {
            let crew = Crew::new(threads);
            let mut counts = vec![0; 100];
            for _ in 0..20 {
                crew.lead(|| crew.each(counts.iter_mut(), |count| *count += 1));
            }
            assert!(counts.iter().all(|&count| count == 20), "{threads} threads: {counts:?}");
        }
    }
}
