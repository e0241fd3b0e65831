namespace KawaOrleans.Client.Tests.Streams;

/// <summary>Metadata, deletions and tombstones: what is sent, and what readers are shown.</summary>
public sealed class StreamChangeTests : IAsyncLifetime, IDisposable
{
    private readonly EngineLog _engine = new();

    private ILog Log => _engine.Log;

    private IStreamHandle Stream => Log.Stream("s");

    /// <summary>Ten events in two segments.</summary>
    public async Task InitializeAsync()
    {
        await Append(6);
        _engine.Roll();
        await Append(4);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _engine.Dispose();

    [Theory]
    [InlineData(0, null, 0)]
    [InlineData(3, null, 3)]
    [InlineData(7, null, 7)]
    [InlineData(0, 2L, 8)]
    [InlineData(4, 5L, 5)]
    [InlineData(6, 9L, 6)]
    public async Task What_metadata_hide_is_not_shown_from_whichever_side(long truncateBefore, long? maxCount, long first)
    {
        await Stream.SetMetadataAsync(new StreamMetadata { TruncateBefore = truncateBefore, MaxCount = maxCount });

        await AssertShown(first, 9);
    }

    [Fact]
    public async Task What_is_as_old_as_is_shown_at_most_is_hidden()
    {
        // Whole seconds between the old and the young ones; to the tick it is what StreamVisibility says.
        await Stream.SetMetadataAsync(new StreamMetadata { MaxAge = TimeSpan.FromHours(1) });
        _engine.Time.Advance(TimeSpan.FromHours(2));
        await Append(2);

        await AssertShown(10, 11);
        var now = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var shown = StreamVisibility.Of(new StreamMetadata { MaxAge = TimeSpan.FromHours(1) }, StreamState.Live, 9, now);
        Assert.Equal((false, true), (shown.Shows(0, now.AddHours(-1).UtcTicks), shown.Shows(0, now.AddHours(-1).UtcTicks + 1)));
    }

    [Fact]
    public async Task Metadata_are_set_under_the_revision_they_are_expected_at()
    {
        Assert.Equal([0L], Assert.IsType<Appended>(await Stream.SetMetadataAsync(new StreamMetadata { TruncateBefore = 2 }, ExpectedRevision.NoStream)).Revisions);
        var conflict = Assert.IsType<RevisionConflict>(await Stream.SetMetadataAsync(new StreamMetadata { TruncateBefore = 9 }, ExpectedRevision.NoStream));

        Assert.Equal((StreamMetadata.StreamOf("s"), 0), (conflict.Stream, conflict.ActualRevision));
        Assert.Equal((2, ExpectedRevision.Exactly(0)), ((await Stream.GetMetadataAsync()).Metadata.TruncateBefore, (await Stream.GetMetadataAsync()).Expected));
        await AssertShown(2, 9);
    }

    [Fact]
    public async Task A_deletion_hides_all_that_was_and_goes_by_what_is_expected()
    {
        Assert.Equal(new RevisionConflict("s", ExpectedRevision.Exactly(8), 9), await Stream.DeleteAsync(ExpectedRevision.Exactly(8)));
        await Stream.SetMetadataAsync(new StreamMetadata { MaxCount = 100, Custom = "kept"u8.ToArray() });

        Assert.Equal([10L], Assert.IsType<Appended>(await Stream.DeleteAsync(ExpectedRevision.Exactly(9))).Revisions);

        await AssertNone();
        Assert.DoesNotContain("s", await Log.ListStreamsAsync().ToListAsync());
        Assert.Equal([11L], Assert.IsType<Appended>(await Stream.AppendAsync([Event()], ExpectedRevision.NoStream)).Revisions);
        await AssertShown(11, 11);
        Assert.Contains("s", await Log.ListStreamsAsync().ToListAsync());
        Assert.Equal(100, (await Stream.GetMetadataAsync()).Metadata.MaxCount);

        // What metadata show again is shown without what deleted it.
        await Stream.SetMetadataAsync(StreamMetadata.None);
        Assert.Equal([0L, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11], (await Stream.ReadAsync().ToListAsync()).Select(e => e.Revision));
        Assert.Equal([11L, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0], (await Stream.ReadAsync(ReadDirection.Backward).ToListAsync()).Select(e => e.Revision));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_deletion_that_somebody_came_before_is_made_again_of_what_is_there_then(bool withMetadata)
    {
        var raced = 0;
        _engine.Tampering.BeforeAppend = async () =>
        {
            if (++raced == 1)
            {
                var other = _engine.NewClient().Stream("s");
                await (withMetadata ? other.SetMetadataAsync(new StreamMetadata { MaxCount = 7 }) : other.AppendAsync([Event()]));
            }
        };

        var deleted = Assert.IsType<Appended>(await Stream.DeleteAsync());

        Assert.Equal([withMetadata ? 10L : 11L], deleted.Revisions);
        await AssertNone();
        Assert.Equal(withMetadata ? 7L : null, (await Stream.GetMetadataAsync()).Metadata.MaxCount);
    }

    [Fact]
    public async Task An_ended_stream_says_so_to_whoever_reads_it_and_takes_no_metadata()
    {
        Assert.Equal(new RevisionConflict("s", ExpectedRevision.Exactly(8), 9), await Stream.TombstoneAsync(ExpectedRevision.Exactly(8)));
        Assert.Equal([10L], Assert.IsType<Appended>(await Stream.TombstoneAsync(ExpectedRevision.Exactly(9))).Revisions);

        foreach (var direction in new[] { ReadDirection.Forward, ReadDirection.Backward })
        {
            Assert.Equal(10, (await Assert.ThrowsAsync<StreamTombstonedException>(async () => await Stream.ReadAsync(direction).ToListAsync())).Tombstone.Revision);
        }

        Assert.Equal(new StreamTombstoned("s", 10), await Stream.SetMetadataAsync(new StreamMetadata { MaxCount = 1 }));
        Assert.Equal(new StreamTombstoned("s", 10), await Stream.DeleteAsync());
        Assert.DoesNotContain("s", await Log.ListStreamsAsync().ToListAsync());
    }

    [Fact]
    public async Task A_follower_is_given_what_comes_and_told_of_the_end()
    {
        // A follower that goes on behind the end would go on for ever.
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var followed = new List<long>();
        var error = await Assert.ThrowsAsync<StreamTombstonedException>(async () =>
        {
            await foreach (var e in Stream.ReadAsync(from: 8, follow: true, cancellation: guard.Token))
            {
                followed.Add(e.Revision);
                if (e.Revision == 9)
                {
                    await Append(1);
                    await Stream.TombstoneAsync();
                }
            }
        });

        Assert.Equal(11, error.Tombstone.Revision);
        Assert.Equal([8L, 9, 10], followed);
    }

    private static EventData Event() => new("s", "happened", new byte[1500]);

    private async Task Append(int events) => await Log.AppendAsync([.. Enumerable.Range(0, events).Select(static _ => Event())]);

    private async Task AssertShown(long first, long last)
    {
        var shown = Enumerable.Range((int)first, (int)(last - first) + 1).Select(static n => (long)n).ToList();
        Assert.Equal(shown, (await Stream.ReadAsync().ToListAsync()).Select(e => e.Revision));
        Assert.Equal(shown.AsEnumerable().Reverse(), (await Stream.ReadAsync(ReadDirection.Backward).ToListAsync()).Select(e => e.Revision));
        Assert.Equal(shown.Where(n => n <= last - 1).Reverse(), (await Stream.ReadAsync(ReadDirection.Backward, last - 1).ToListAsync()).Select(e => e.Revision));
        Assert.Equal(last, (await Stream.TryReadLastAsync())!.Revision);
        var description = (await Stream.DescribeAsync())!;
        Assert.Equal((shown.Count, first, last), (description.Count, description.FirstRevision, description.LastRevision));
    }

    private async Task AssertNone()
    {
        Assert.Empty(await Stream.ReadAsync().ToListAsync());
        Assert.Empty(await Stream.ReadAsync(ReadDirection.Backward).ToListAsync());
        Assert.Null(await Stream.TryReadLastAsync());
        Assert.Null(await Stream.DescribeAsync());
    }
}
