namespace KawaOrleans.Storage.Tests.Admission;

/// <summary>A durable writer that remembers: what it decides, what lies in the file, and what a later writer knows.</summary>
public sealed class RememberingWriterTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_repeat_given_in_the_same_breath_waits_for_the_first_and_is_written_once()
    {
        using var segment = Segment.Create(_directory.File("a.seg"), Sample.Header());
        var writer = segment.OpenWriter(Guid.NewGuid(), new WriterMemory(1000, 0));
        using var block = EventBlock.Parse(Batch(3, "a").Bytes);

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => writer.AppendAsync(block).AsTask()));

        Assert.Single(answers, answer => answer.Outcomes is null);
        Assert.All(answers.Where(answer => answer.Outcomes is not null), answer =>
        {
            Assert.Equal(0, answer.Count);
            Assert.Equal((BatchFate.Repeated, 0, 3), (answer.Outcomes![0].Fate, answer.Outcomes[0].Position, answer.Outcomes[0].Count));
        });
        Assert.Equal(3, segment.Tail.Position);
    }

    [Fact]
    public async Task What_a_segment_remembers_of_its_frames_is_what_its_writer_knew()
    {
        var path = _directory.File("a.seg");
        var batches = Enumerable.Range(0, 20).Select(i => Batch(1 + (i % 4), $"{i}")).ToList();
        using (var segment = Segment.Create(path, Sample.Header()))
        {
            var writer = segment.OpenWriter(Guid.NewGuid(), new WriterMemory(1000, 0));
            foreach (var batch in batches)
            {
                using var block = EventBlock.Parse(batch.Bytes);
                await writer.AppendAsync(block);
            }
        }

        using (var segment = Segment.Open(path))
        {
            var end = segment.Tail.Position;
            var memory = new WriterMemory(1000, 10);
            memory.Add(segment.Remember(10, 25));
            memory.Add(segment.Remember(25, end));
            Assert.Equal((10, end), (memory.Start, memory.End));
            var writer = segment.OpenWriter(Guid.NewGuid(), memory);
            using var known = EventBlock.Parse(batches[^1].Bytes);
            using var old = EventBlock.Parse(batches[0].Bytes);

            var repeated = (await writer.AppendAsync(known)).Outcomes![0];
            Assert.Equal((BatchFate.Repeated, end - batches[^1].Count), (repeated.Fate, repeated.Position));
            Assert.True(segment.TryRead(repeated.Position, out var first));
            Assert.Equal(first!.Recorded.UtcTicks, repeated.Timestamp);
            Assert.Equal(BatchFate.TooOldToTell, (await writer.AppendAsync(old, retrySince: 0)).Outcomes![0].Fate);
            Assert.Equal(end, segment.Tail.Position);
        }
    }

    /// <summary>The simulation of whole clusters found it: a repeat whose first event was just forgotten was called partly repeated, as if the log had torn
    /// the batch apart.</summary>
    [Theory]
    [InlineData(0L)]
    [InlineData(null)]
    public async Task Of_a_batch_at_the_edge_of_what_is_remembered_nothing_is_said(long? retrySince)
    {
        var path = _directory.File("a.seg");
        using var atTheEdge = EventBlock.Parse(Batch(3, "a").Bytes);
        using (var first = Segment.Create(path, Sample.Header()))
        {
            await first.OpenWriter(Guid.NewGuid(), new WriterMemory(1000, 0)).AppendAsync(atTheEdge);
        }

        using var segment = Segment.Open(path);
        var memory = new WriterMemory(1000, 1);
        memory.Add(segment.Remember(1, 3));

        var answer = await segment.OpenWriter(Guid.NewGuid(), memory).AppendAsync(atTheEdge, retrySince);

        Assert.Equal((BatchFate.TooOldToTell, 1L), (answer.Outcomes![0].Fate, answer.Outcomes[0].Position));
        Assert.Equal(3, segment.Tail.Position);
    }

    [Fact]
    public async Task A_memory_leaves_its_segment_only_when_that_is_written_no_more()
    {
        using var segment = Segment.Create(_directory.File("a.seg"), Sample.Header());
        var writer = segment.OpenWriter(Guid.NewGuid(), new WriterMemory(1000, 0));
        using var block = EventBlock.Parse(Batch(2, "a").Bytes);
        await writer.AppendAsync(block);

        Assert.Null(segment.TakeMemory());
        segment.Fence(1);
        var memory = segment.TakeMemory();

        Assert.Equal((0, 2), (memory!.Start, memory.End));
        Assert.Null(segment.TakeMemory());
    }

    [Fact]
    public void A_memory_that_does_not_reach_the_segments_end_is_refused()
    {
        using var segment = Segment.Create(_directory.File("a.seg"), Sample.Header(basePosition: 10));

        Assert.Throws<InvalidOperationException>(() => segment.OpenWriter(Guid.NewGuid(), new WriterMemory(1000, 7)));
        Assert.False(segment.HasMemory);
    }

    private static EventBatch Batch(int events, string tag) =>
        EventBatch.Encode([.. Enumerable.Range(0, events).Select(i => new EventData("s", "t", System.Text.Encoding.UTF8.GetBytes($"{tag}/{i}")))]);
}
