using System.Runtime.CompilerServices;
using KawaOrleans.Storage.Tests.Simulation;

namespace KawaOrleans.Storage.Tests.Golden;

/// <summary>
/// Segment files of format version 1, checked in. A test that fails here says that the bytes on disk have changed: that takes a
/// new version, or, before the first release, new golden files: run this class with <c>KAWA_GOLDEN=write</c> and say so in docs/FORMAT.md.
/// </summary>
public sealed class GoldenTests : IDisposable
{
    private const int Events = 40;
    private static readonly Guid Opening = new("40000000-0000-0000-0000-000000000004");

    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("open-v1.seg")]
    [InlineData("sealed-v1.seg")]
    public async Task A_segment_written_today_has_the_bytes_of_the_golden_file(string name)
    {
        var path = _directory.File(name);
        await WriteAsync(path, seal: name.StartsWith("sealed", StringComparison.Ordinal));
        if (Environment.GetEnvironmentVariable("KAWA_GOLDEN") == "write")
        {
            File.Copy(path, Path.Combine(Path.GetDirectoryName(ThisFile())!, name), overwrite: true);
        }

        var expected = await File.ReadAllBytesAsync(GoldenFile(name));
        var written = await File.ReadAllBytesAsync(path);
        var first = expected.Length == written.Length ? expected.AsSpan().CommonPrefixLength(written) : -1;
        Assert.True(first == expected.Length, $"{expected.Length} and {written.Length} bytes; the first difference is at offset {first}");
    }

    [Theory]
    [InlineData("open-v1.seg", SegmentState.Open)]
    [InlineData("sealed-v1.seg", SegmentState.Sealed)]
    public void A_golden_file_is_read_as_it_was_written(string name, SegmentState state)
    {
        var path = _directory.File(name);
        File.Copy(GoldenFile(name), path);

        using var segment = Segment.Open(path);

        Assert.Equal((state, Opening, 0L), (segment.State, segment.OpeningId, segment.TornBytes));
        Assert.Equal((7L, "orders", 500L), (segment.Header.Identity.Epoch, segment.Header.LogName, segment.Header.BasePosition));
        var events = Sample.ReadAll(segment, from: 500);
        Assert.Equal(Events, events.Count);
        for (var i = 0; i < Events; i++)
        {
            Assert.Equal(500 + i, events[i].Position);
            Sample.AssertIs(i, events[i]);
        }
    }

    [Fact]
    public void The_golden_footer_tells_counts_and_times()
    {
        using var segment = Segment.OpenReadOnly(GoldenFile("sealed-v1.seg"));

        var bounds = segment.Bounds!.Value;

        Assert.Equal((Events, Events / 2), (bounds.Events, bounds.WithOccurred));
        Assert.Equal(new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc).Ticks, bounds.FirstRecorded);
        Assert.Equal(new DateTime(2026, 1, 1, 0, 0, 38, DateTimeKind.Utc).Ticks, bounds.GreatestOccurred);
    }

    private static async Task WriteAsync(string path, bool seal)
    {
        var time = new StillTime();
        var header = Sample.Header(basePosition: 500, epoch: 7) with { Predecessor = new Guid("30000000-0000-0000-0000-000000000009"), TimestampFloor = 5 };
        using var segment = Segment.Create(path, header, time);
        var writer = segment.OpenWriter(Opening);
        await writer.AppendAsync(Sample.Batch(0, 1));
        time.Advance(TimeSpan.FromSeconds(1));
        await writer.AppendAsync(Sample.Batch(1, 19));
        segment.CheckpointIfIdle(TimeSpan.Zero);
        await writer.FlushAsync();
        await writer.AppendAsync(Sample.Batch(20, Events - 20));
        if (seal)
        {
            segment.Seal(segment.Fence(savedChainVersion: 3).Position);
            Assert.True(segment.WriteFooter());
        }
    }

    private static string GoldenFile(string name) => Path.Combine(AppContext.BaseDirectory, "Golden", name);

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
