using KawaOrleans.Server;
using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Segments;
using KawaOrleans.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KawaOrleans.Cluster.Tests.Segments;

/// <summary>More than a silo takes in is answered, not kept.</summary>
public sealed class BusyTests
{
    [Fact]
    public void A_segment_takes_in_as_much_as_it_may_hold_and_again_once_some_of_it_is_on_disk()
    {
        using var metrics = new KawaMetrics();
        var queued = Bytes(metrics, ofSegment: 100, ofSilo: 1000);
        var held = 0L;

        Assert.True(queued.TryEnter(ref held, 60));
        Assert.True(queued.TryEnter(ref held, 40));
        Assert.False(queued.TryEnter(ref held, 1));
        Assert.Equal(100, held);

        queued.Leave(ref held, 60);
        Assert.True(queued.TryEnter(ref held, 1));
        Assert.Equal(41, held);
    }

    [Fact]
    public void All_segments_together_take_in_no_more_than_the_silo_may_hold()
    {
        using var metrics = new KawaMetrics();
        var queued = Bytes(metrics, ofSegment: 100, ofSilo: 150);
        var (one, other, third) = (0L, 0L, 0L);

        Assert.True(queued.TryEnter(ref one, 100));
        Assert.True(queued.TryEnter(ref other, 50));
        Assert.False(queued.TryEnter(ref third, 1));
        Assert.Equal((100, 50, 0), (one, other, third));

        queued.Leave(ref one, 100);
        Assert.True(queued.TryEnter(ref third, 100));
    }

    [Fact]
    public void What_comes_while_nothing_waits_is_taken_however_large_it_is()
    {
        using var metrics = new KawaMetrics();
        var queued = Bytes(metrics, ofSegment: 10, ofSilo: 20);
        var held = 0L;

        Assert.True(queued.TryEnter(ref held, 1000));
        Assert.False(queued.TryEnter(ref held, 1));
        queued.Leave(ref held, 1000);
        Assert.True(queued.TryEnter(ref held, 1));
    }

    [Fact]
    public async Task An_append_beyond_the_limit_is_told_when_to_come_again_and_nothing_of_it_is_written()
    {
        const int Calls = 16;
        const int CallBytes = 1 << 20;
        const int Refused = Calls - (Limits.MaxBatchBytes / CallBytes);
        await using var cluster = await KawaCluster.Start(
            1, configure: static silo => silo.Services.Configure<KawaEventStoreOptions>(options => options.MaxQueuedBytesPerSegment = Limits.MaxBatchBytes));
        var log = await new PlainLog(cluster.Client, "orders").Create(64 << 20);
        var listed = (await log.Directory.OpenWriteSegment(null, Limits.MaxBatchBytes)).WriteSegment!;
        var segment = log.Grain(listed);
        Assert.IsType<Appended>(await segment.Append(Block.Of(PlainLog.Batch(1, tag: "before"))));

        List<Task<AppendResult>> calls;
        using (new HeldDisk(cluster.Service<LocalNode>(0).Find(listed.Id)!))
        {
            calls = [.. Enumerable.Range(0, Calls).Select(i => segment.Append(Block.Of(PlainLog.Batch(1, bytes: CallBytes, tag: $"{i}"))).AsTask())];
            for (var answered = 0; answered < Refused; answered = calls.Count(static call => call.IsCompleted))
            {
                await Task.WhenAny(calls.Where(static call => !call.IsCompleted));
            }

            Assert.All(calls.Where(static call => call.IsCompleted), static call => Assert.True(call.Result is Busy { RetryAfter.Ticks: > 0 }));
        }

        var answers = await Task.WhenAll(calls);
        var written = Enumerable.Range(0, Calls).Where(i => answers[i] is Appended).Select(static i => $"{i}/0").ToList();
        Assert.Equal(Calls, written.Count + answers.Count(static answer => answer is Busy));
        Assert.InRange(written.Count, 1, Calls - Refused);
        Assert.Equal(written.Append("before/0").Order(StringComparer.Ordinal), (await log.Read()).Select(PlainLog.TagOf).Order(StringComparer.Ordinal));
        Assert.IsType<Appended>(await segment.Append(Block.Of(PlainLog.Batch(1))));
    }

    private static QueuedBytes Bytes(KawaMetrics metrics, long ofSegment, long ofSilo) => new(
        Options.Create(new KawaEventStoreOptions { MaxQueuedBytesPerSegment = ofSegment, MaxQueuedBytes = ofSilo }), metrics);

    /// <summary>Until it is disposed nothing of the segment gets to its disk.</summary>
    private sealed class HeldDisk : IDisposable
    {
        private readonly ManualResetEventSlim _isHeld = new();
        private readonly ManualResetEventSlim _isOver = new();
        private readonly Thread _holder;

        public HeldDisk(Segment segment)
        {
            _holder = new Thread(() =>
            {
                lock (segment.WriteGate)
                {
                    _isHeld.Set();
                    _isOver.Wait();
                }
            });
            _holder.Start();
            _isHeld.Wait();
        }

        public void Dispose()
        {
            _isOver.Set();
            _holder.Join();
            _isHeld.Dispose();
            _isOver.Dispose();
        }
    }
}
