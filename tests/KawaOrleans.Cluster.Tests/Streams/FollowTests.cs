using Microsoft.Extensions.DependencyInjection;

namespace KawaOrleans.Cluster.Tests.Streams;

/// <summary>Streams that are followed, read ahead of the caller, or lost on the way.</summary>
public sealed class FollowTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_follower_gets_what_is_appended_to_its_stream_over_rolls_and_deletions_until_the_tombstone()
    {
        await using var cluster = await StreamTests.Start(2);
        var log = await MetadataTests.Rolling(cluster);
        await log.AppendAsync(PlainLog.Batch(3, "other"));
        var stream = log.Stream("s");
        var seen = new List<RecordedEvent>();
        using var arrived = new SemaphoreSlim(0);
        var following = Task.Run(async () =>
        {
            await foreach (var e in stream.ReadAsync(follow: true))
            {
                seen.Add(e);
                arrived.Release();
            }
        });
        var written = new List<Guid>();
        for (var i = 0; i < 40; i++)
        {
            var e = PlainLog.Event("s", "happened", $"{i}", bytes: 6000);
            await log.AppendAsync(e);
            written.Add(e.Id);
            await log.AppendAsync(PlainLog.Batch(1, "other", bytes: 3000));
            if (i == 20)
            {
                await stream.DeleteAsync();
            }

            if (i % 10 == 0)
            {
                // It is at the end by now, and waits there.
                for (var n = seen.Count == 0 || i == 0 ? 1 : 10; n > 0; n--)
                {
                    Assert.True(await arrived.WaitAsync(Soon), $"the follower missed what came by {i}");
                }
            }
        }

        Assert.True((await log.DescribeAsync()).Segments.Count > 3, "the log is meant to have rolled");
        await stream.TombstoneAsync();
        Assert.Equal(41, (await Assert.ThrowsAsync<StreamTombstonedException>(() => following.WaitAsync(Soon))).Tombstone.Revision);
        Assert.Equal(written, seen.Select(e => e.Id));
    }

    [Fact]
    public async Task A_follower_waits_for_a_revision_that_is_to_come_and_for_a_log_without_segments()
    {
        await using var cluster = await StreamTests.Start(1);
        var log = await MetadataTests.Rolling(cluster);
        await using var following = log.Stream("s").ReadAsync(from: 4, follow: true).GetAsyncEnumerator();
        var next = following.MoveNextAsync().AsTask();
        await log.AppendAsync(PlainLog.Batch(4, "s"));
        await log.AppendAsync(PlainLog.Batch(40, "other", bytes: 4000));
        Assert.False(next.IsCompleted);
        await log.AppendAsync(PlainLog.Batch(2, "s"));
        Assert.True(await next.WaitAsync(Soon));
        Assert.Equal(4, following.Current.Revision);
        Assert.True(await following.MoveNextAsync().AsTask().WaitAsync(Soon));
        Assert.Equal(5, following.Current.Revision);
    }

    [Fact]
    public async Task A_follower_that_leaves_ends_its_wait_on_the_silo()
    {
        var reads = new Reads();
        await using var cluster = await Start(reads);
        var log = StreamTests.Log(cluster, "followed");
        await log.AppendAsync(PlainLog.Batch(1, "s"));
        using var leaves = new CancellationTokenSource();
        await using var following = log.Stream("s").ReadAsync(from: 1, follow: true, cancellation: leaves.Token).GetAsyncEnumerator();
        var next = following.MoveNextAsync().AsTask();
        await reads.Waiting.WaitAsync(Soon);

        await leaves.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reads.Waited.WaitAsync(Soon));
    }

    [Theory]
    [InlineData(ReadDirection.Forward)]
    [InlineData(ReadDirection.Backward)]
    public async Task The_next_page_comes_while_the_caller_is_busy_with_this_one_and_no_further(ReadDirection direction)
    {
        var reads = new Reads();
        await using var cluster = await Start(reads);
        var log = StreamTests.Log(cluster, "orders");
        await log.AppendAsync(PlainLog.Batch(12, "s", bytes: 5000));
        await using var reading = log.Stream("s").ReadAsync(direction).GetAsyncEnumerator();

        // One event a page: the caller looks at the first, the second is there, and nobody asks for the third.
        Assert.True(await reading.MoveNextAsync());
        await reads.Count(2).WaitAsync(Soon);
        Assert.Equal(2, reads.Begun);
        Assert.True(await reading.MoveNextAsync());
        await reads.Count(3).WaitAsync(Soon);
        Assert.Equal(3, reads.Begun);
    }

    [Fact]
    public async Task A_read_does_not_go_on_in_another_log_that_took_over_the_name()
    {
        await using var cluster = await Start(new Reads());
        var store = cluster.Client.ServiceProvider.GetRequiredService<IEventStoreClient>();
        var log = store.Log("orders");
        var first = PlainLog.Batch(12, "s", bytes: 5000);
        await log.AppendAsync(first);
        await using var forward = log.Stream("s").ReadAsync().GetAsyncEnumerator();
        await using var backward = log.Stream("s").ReadAsync(ReadDirection.Backward).GetAsyncEnumerator();
        await using var following = log.Stream("s").ReadAsync(from: 12, follow: true).GetAsyncEnumerator();
        Assert.True(await forward.MoveNextAsync());
        Assert.True(await backward.MoveNextAsync());
        var next = following.MoveNextAsync().AsTask();
        await store.DeleteLogAsync("orders");
        await using var deleted = log.Stream("s").ReadAsync().GetAsyncEnumerator();
        await Assert.ThrowsAsync<UnknownLogException>(async () => await deleted.MoveNextAsync());
        await log.AppendAsync(PlainLog.Batch(40, "s", bytes: 5000));

        // What was read ahead is still the old log's; behind it comes the error, and nothing of the new log.
        await EndsWithin(forward, 2);
        await EndsWithin(backward, 2);
        await Assert.ThrowsAsync<UnknownLogException>(() => next.WaitAsync(Soon));
        Assert.Equal(40, (await StreamTests.Drain(log.Stream("s").ReadAsync())).Count);

        static async Task EndsWithin(IAsyncEnumerator<RecordedEvent> reading, int events) => await Assert.ThrowsAsync<UnknownLogException>(async () =>
        {
            for (; events >= 0 && await reading.MoveNextAsync(); events--)
            {
            }
        });
    }

    private static Task<KawaCluster> Start(Reads reads) => KawaCluster.Start(
        1, configure: silo => silo.AddIncomingGrainCallFilter(reads), configureClient: static client => client.AddKawaClient(static options => options.ReadBlockBytes = 4096));

    /// <summary>The reads of streams that came to the silo.</summary>
    private sealed class Reads : IIncomingGrainCallFilter
    {
        private readonly TaskCompletionSource _waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _waited = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Dictionary<int, TaskCompletionSource> _counted = [];
        private int _begun;

        public int Begun => Volatile.Read(ref _begun);

        /// <summary>The first read that may wait has begun, and how it ended.</summary>
        public Task Waiting => _waiting.Task;

        public Task Waited => _waited.Task;

        /// <summary>Completes when so many reads were answered.</summary>
        public Task Count(int reads) => Counted(reads).Task;

        public async Task Invoke(IIncomingGrainCallContext context)
        {
            if (context.InterfaceMethod.Name != nameof(ISegmentGrain.ReadStream))
            {
                await context.Invoke();
                return;
            }

            var number = Interlocked.Increment(ref _begun);
            var waits = context.Request.GetArgument(0) is StreamReadRequest { Wait.Ticks: > 0 };
            if (waits)
            {
                _waiting.TrySetResult();
            }

            try
            {
                await context.Invoke();
                Counted(number).TrySetResult();
                _ = waits && _waited.TrySetResult();
            }
            catch (Exception e)
            {
                _ = waits && _waited.TrySetException(e);
                throw;
            }
        }

        private TaskCompletionSource Counted(int reads)
        {
            lock (_counted)
            {
                return _counted.TryGetValue(reads, out var known) ? known : _counted[reads] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }
}
