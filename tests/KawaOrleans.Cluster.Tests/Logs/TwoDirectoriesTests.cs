using KawaOrleans.Server.Protocol;
using KawaOrleans.Server.Segments;

namespace KawaOrleans.Cluster.Tests.Logs;

/// <summary>Orleans can run a grain twice for a while. Two directories of a log are two chain changers on one store.</summary>
public sealed class TwoDirectoriesTests
{
    [Fact]
    public async Task Two_directories_that_roll_one_log_at_once_open_one_segment_at_a_time()
    {
        await using var cluster = await KawaCluster.Start(3);
        var log = await new PlainLog(cluster.Client, "contested").Create();
        var changers = Enumerable.Range(0, 3).Select(cluster.Service<ChainChanger>).ToList();
        var appended = 0;
        for (var round = 0; round < 15; round++)
        {
            appended += (await log.Append(PlainLog.Batch(3, tag: $"{round}"))).Count;
            var after = (await log.Directory.GetChain()).WriteSegment!.Id;

            var opened = await Task.WhenAll(changers.Select(changer => Task.Run(() => Open(changer, after))));

            Assert.Single(opened.Select(chain => chain.WriteSegment!.Id).Distinct());
            Assert.NotEqual(after, opened[0].WriteSegment!.Id);
        }

        var events = await log.Read();
        Assert.Equal(Enumerable.Range(0, appended).Select(i => (long)i), events.Select(e => e.Position));
        Assert.Equal(16, (await log.Directory.GetChain()).Segments.Count);
    }

    [Fact]
    public async Task Writers_and_two_rolling_directories_lose_and_repeat_nothing()
    {
        await using var cluster = await KawaCluster.Start(3);
        await new PlainLog(cluster.Client, "contested").Create();
        var changers = Enumerable.Range(0, 2).Select(cluster.Service<ChainChanger>).ToList();
        using var rolls = new SemaphoreSlim(0);
        var writing = Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            var log = new PlainLog(cluster.Client, "contested");
            var tags = new List<(long, string)>();
            for (var i = 0; i < 60; i++)
            {
                tags.Add(((await log.Append(PlainLog.Batch(1, bytes: 300, tag: $"{writer}-{i}"))).First, $"{writer}-{i}/0"));
                if (i % 10 == 0)
                {
                    rolls.Release(changers.Count);
                }
            }

            return tags;
        })));
        var rolling = changers.Select(changer => Task.Run(async () =>
        {
            for (var roll = 0; roll < 24; roll++)
            {
                await rolls.WaitAsync();
                var chain = await changer.Read("contested", default);
                await Open(changer, chain.WriteSegment?.Id);
            }
        })).ToArray();
        await Task.WhenAll([writing, .. rolling]);

        var placed = (await writing).SelectMany(tags => tags).OrderBy(tag => tag.Item1).ToList();
        var events = await new PlainLog(cluster.Client, "contested").Read();
        Assert.Equal(Enumerable.Range(0, 240).Select(i => (long)i), placed.Select(tag => tag.Item1));
        Assert.Equal(placed, events.Select(e => (e.Position, PlainLog.TagOf(e))));
    }

    [Fact]
    public async Task Two_activations_of_a_segment_take_the_write_handle_from_each_other_and_lose_nothing()
    {
        await using var cluster = await KawaCluster.Start(1);
        var log = await new PlainLog(cluster.Client, "twice").Create();
        await log.Append(PlainLog.Batch(1, tag: "first"));
        var segment = (await log.Directory.GetChain()).WriteSegment!;
        var file = cluster.Service<Server.Nodes.LocalNode>(0).Find(segment.Id)!;
        for (var i = 0; i < 5; i++)
        {
            // What another activation's first append does.
            var other = file.OpenWriter(Guid.NewGuid());
            using var block = EventBlock.Parse(PlainLog.Batch(1, tag: "theirs").Bytes);
            var theirs = await other.AppendAsync(block);
            var ours = Assert.IsType<Appended>(await log.Grain(segment).Append(Block.Of(PlainLog.Batch(1, tag: "ours"))));
            Assert.Equal(theirs.First + 1, ours.First);
            using var late = EventBlock.Parse(PlainLog.Batch(1, tag: "late").Bytes);
            await Assert.ThrowsAsync<Storage.WriterFencedException>(async () => await other.AppendAsync(late));
        }

        Assert.Equal(11, (await log.Read()).Count);
    }

    /// <summary>Repeats what is said to be retryable: on a busy machine a node may answer late.</summary>
    private static async Task<Chain> Open(ChainChanger changer, Guid? after)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await changer.OpenWriteSegment("contested", after, 0, default);
            }
            catch (LogNotWritableException) when (attempt < 10)
            {
                await Task.Delay(100);
            }
        }
    }
}
