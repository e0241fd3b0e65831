namespace KawaOrleans.Storage.Tests.Segments;

/// <summary>Runs while no other test does: what others allocate would be counted.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}

/// <summary>What an append leaves to the collector.</summary>
[Collection(Alone.Name)]
public sealed class AllocationTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    /// <summary>The loop that writes groups made an object for every group, for an error that never came.</summary>
    [Fact]
    public async Task A_durable_append_that_goes_well_allocates_less_than_the_smallest_object()
    {
        const int Appends = 2000;
        const int SmallestObjectBytes = 24;

        // The first tries pay for what is made once; four bytes an event are the index.
        using var segment = Segment.Create(_directory.File("a.seg"), Sample.Header(fileBytes: 8 << 20));
        var writer = segment.OpenWriter(Guid.NewGuid());
        var batch = Sample.Batch(0, 1);
        var least = double.MaxValue;
        for (var attempt = 0; attempt < 10 && least >= SmallestObjectBytes; attempt++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            for (var i = 0; i < Appends; i++)
            {
                await writer.AppendAsync(batch);
            }

            least = Math.Min(least, (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)Appends);
        }

        Assert.InRange(least, 0, SmallestObjectBytes - 1);
    }
}
