namespace KawaOrleans.Client.Tests;

/// <summary>How blocks travel to a reader: ahead of it, in order, and never more of them than it was promised.</summary>
[Collection(OnVirtualTime.Name)]
public sealed class BlockReadTests : IDisposable
{
    private const int BlocksAhead = 3;

    private readonly FakeStore _store = new(options: new KawaClientOptions { BlocksAhead = BlocksAhead });

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task Blocks_cover_the_log_without_holes_and_hold_what_a_decoded_read_gives()
    {
        await _store.Fill(100);
        var expected = (await FakeStore.Drain(_store.Log.ReadAsync(7))).Events;
        var found = new List<RecordedEvent>();
        var next = 7L;

        await foreach (var block in _store.Log.ReadBlocksAsync(7))
        {
            using (block)
            {
                Assert.Equal(next, block.From);
                next = block.Next;
                foreach (var e in block)
                {
                    found.Add(e.ToRecordedEvent());
                }
            }
        }

        Assert.Equal(100, next);
        Assert.Equal(expected.Select(e => (e.Position, e.Id, e.Stream, e.Type)), found.Select(e => (e.Position, e.Id, e.Stream, e.Type)));
        Assert.Equal(expected.Select(FakeStore.TagOf), found.Select(FakeStore.TagOf));
    }

    [Fact]
    public async Task A_slow_reader_holds_the_promised_number_of_blocks_and_no_more()
    {
        await _store.Fill(200);
        var asked = 0;
        _store.Cluster.Mishaps = call =>
        {
            _ = call == "Read" && Interlocked.Increment(ref asked) > 0;
            return Mishap.None;
        };

        var given = 0;
        await foreach (var block in _store.Log.ReadBlocksAsync())
        {
            block.Dispose();

            // The fake answers at once: what was asked for and not given out is what the reader holds.
            given++;
            Assert.True(asked - given <= BlocksAhead, $"{asked} blocks were asked for when {given} were given out");
        }

        Assert.True(asked > 30, $"only {asked} blocks: too few to show anything");
    }

    [Fact]
    public async Task Blocks_are_asked_for_at_the_same_time_and_given_out_in_order_whichever_comes_first()
    {
        await _store.Fill(100);
        var held = new List<TaskCompletionSource>();
        var asked = 0;
        _store.Cluster.Holds = async (call, cancellation) =>
        {
            if (call != "Read" || Interlocked.Increment(ref asked) is 1 or > 1 + BlocksAhead)
            {
                return;
            }

            var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (held)
            {
                held.Add(mine);
                if (held.Count == BlocksAhead)
                {
                    // All of them are under way: the one asked last is answered first, and the first one last.
                    for (var i = held.Count - 1; i >= 0; i--)
                    {
                        held[i].SetResult();
                    }
                }
            }

            await mine.Task.WaitAsync(TimeSpan.FromSeconds(60), cancellation);
        };

        var (events, error) = await FakeStore.Drain(_store.Log.QueryAsync(new RangeQuery { From = 3, To = 91 }));

        Assert.Null(error);
        Assert.Equal(Enumerable.Range(3, 88).Select(i => (long)i), events.Select(e => e.Position));
        Assert.Equal(BlocksAhead, held.Count);
    }

    [Fact]
    public async Task A_reader_that_leaves_cancels_what_it_asked_for()
    {
        await _store.Fill(100);
        var asked = 0;
        var cancelled = new SemaphoreSlim(0);
        _store.Cluster.Holds = async (call, cancellation) =>
        {
            if (call == "Read" && Interlocked.Increment(ref asked) > 1)
            {
                try
                {
                    await Task.Delay(Timeout.Infinite, cancellation);
                }
                finally
                {
                    cancelled.Release();
                }
            }
        };

        await using (var reading = _store.Log.ReadBlocksAsync().GetAsyncEnumerator())
        {
            Assert.True(await reading.MoveNextAsync());
        }

        Assert.Equal(1 + BlocksAhead, asked);
        for (var i = 0; i < BlocksAhead; i++)
        {
            Assert.True(await cancelled.WaitAsync(TimeSpan.FromSeconds(60)));
        }
    }

    [Fact]
    public async Task A_damaged_event_ends_the_walk_through_its_block_behind_the_last_one_before_it()
    {
        await _store.Fill(50);
        _store.Truth.Replica(_store.Truth.Segments.ElementAt(1).Id).Damage(31);
        var last = -1L;

        await Assert.ThrowsAsync<CorruptBlockException>(async () =>
        {
            await foreach (var block in _store.Log.ReadBlocksAsync())
            {
                foreach (var e in block)
                {
                    last = e.Position;
                }
            }
        });

        Assert.Equal(30, last);
    }

    [Fact]
    public async Task A_disposed_block_is_not_walked()
    {
        await _store.Fill(3);
        await foreach (var block in _store.Log.ReadBlocksAsync())
        {
            block.Dispose();
            Assert.Throws<ObjectDisposedException>(() => block.StoredBytes);
            Assert.Throws<ObjectDisposedException>(() =>
            {
                foreach (var e in block)
                {
                    Assert.Fail($"{e.Position} was given out");
                }
            });
        }
    }
}
