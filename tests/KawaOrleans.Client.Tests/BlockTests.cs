using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace KawaOrleans.Client.Tests;

/// <summary>How blocks go through messages, and what becomes of their memory.</summary>
public sealed class BlockTests : IDisposable
{
    private readonly ServiceProvider _services =
        new ServiceCollection().AddSerializer(static builder => builder.AddAssembly(typeof(Block).Assembly)).BuildServiceProvider();

    private Serializer Serializer => _services.GetRequiredService<Serializer>();

    public void Dispose() => _services.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(16 * 1024)]
    [InlineData((1024 * 1024) + 1)]
    public void A_block_arrives_as_it_was_sent_as_often_as_its_owner_sends_it(int bytes)
    {
        var sent = new Block(Bytes(bytes));
        for (var time = 0; time < 2; time++)
        {
            using var arrived = Arrived(sent);
            Assert.Equal(sent.Bytes.ToArray(), arrived.Bytes.ToArray());
        }
    }

    /// <summary>A gateway passes on what others send through it, and nobody there disposes it.</summary>
    [Fact]
    public void One_that_arrived_and_is_sent_on_gives_its_memory_back()
    {
        var bytes = Bytes(256 * 1024);
        var passing = Arrived(new Block(bytes));
        var written = Serializer.SerializeToArray(passing);

        Assert.Throws<ObjectDisposedException>(() => passing.Bytes);
        Assert.Equal(bytes, Serializer.Deserialize<Block>(written)!.Bytes.ToArray());
        Assert.Throws<IOException>(() => Serializer.SerializeToArray(passing));
    }

    [Fact]
    public void A_small_one_has_no_memory_to_give_back()
    {
        var passing = Arrived(new Block(Bytes(1024)));
        Assert.Equal(Serializer.SerializeToArray(passing), Serializer.SerializeToArray(passing));
    }

    private static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }

    private Block Arrived(Block sent) => Serializer.Deserialize<Block>(Serializer.SerializeToArray(sent))!;
}
