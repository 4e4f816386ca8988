import CBNNKernels

/// A pool of threads that live as long as it does.
final class WorkerPool {
  private let pool: OpaquePointer
  let threads: Int

  /// - Returns: nil when threads cannot be started.
  init?(threads: Int) {
    guard let pool = bnn_pool_create(threads) else { return nil }
    self.pool = pool
    self.threads = threads
  }

  deinit { bnn_pool_destroy(pool) }

  /// Runs the body over 0..<count in pieces of `grain`; `worker` is below `threads`.
  func run(_ count: Int, grain: Int = 1, _ body: (_ piece: Range<Int>, _ worker: Int) -> Void) {
    guard threads > 1, count > grain else {
      if count > 0 { body(0..<count, 0) }
      return
    }
    withoutActuallyEscaping(body) { body in
      var job = Job(body: body)
      withUnsafeMutablePointer(to: &job) {
        bnn_pool_run(
          pool, count, grain,
          { context, begin, end, worker in
            context?.assumingMemoryBound(to: Job.self).pointee.body(begin..<end, worker)
          }, $0)
      }
    }
  }

  private struct Job {
    let body: (Range<Int>, Int) -> Void
  }
}
