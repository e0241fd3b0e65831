using System.IO.Pipelines;
using System.Net;
using KawaOrleans.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Orleans.Networking.Shared;

namespace KawaOrleans.Cluster.Tests.Hosting;

/// <summary>The transport of its own: bytes arrive as they were sent, and each end learns that the other is gone.</summary>
public sealed class SocketConnectionTests : IAsyncLifetime
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    private readonly SocketConnections _connections = new(Options.Create(new SocketConnectionOptions { KeepAlive = true }));
    private IConnectionListener _listener = null!;
    private ConnectionContext _client = null!;
    private ConnectionContext _server = null!;

    public async Task InitializeAsync()
    {
        _listener = await _connections.BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
        var accepting = _listener.AcceptAsync().AsTask();
        _client = await _connections.ConnectAsync(_listener.EndPoint);
        _server = (await accepting)!;
    }

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
        await _listener.DisposeAsync();
    }

    [Fact]
    public async Task Bytes_of_any_size_arrive_in_both_directions_as_they_were_sent()
    {
        await Task.WhenAll(Send(_client, 1), Check(_server, 1), Send(_server, 2), Check(_client, 2)).WaitAsync(Hang);

        static async Task Send(ConnectionContext from, int seed)
        {
            var random = new Random(seed);
            foreach (var size in Sizes(seed))
            {
                var bytes = new byte[size];
                random.NextBytes(bytes);
                await from.Transport.Output.WriteAsync(bytes);
            }
        }

        static async Task Check(ConnectionContext to, int seed)
        {
            var random = new Random(seed);
            foreach (var size in Sizes(seed))
            {
                var expected = new byte[size];
                random.NextBytes(expected);
                var read = await to.Transport.Input.ReadAtLeastAsync(size);
                var found = new byte[size];
                System.Buffers.BuffersExtensions.CopyTo(read.Buffer.Slice(0, size), found);
                Assert.True(found.AsSpan().SequenceEqual(expected));
                to.Transport.Input.AdvanceTo(read.Buffer.GetPosition(size));
            }
        }

        static IEnumerable<int> Sizes(int seed)
        {
            var random = new Random(seed);
            return Enumerable.Range(0, 200).Select(i => i % 20 == 0 ? random.Next(1, 3_000_000) : random.Next(1, 300)).ToList();
        }
    }

    [Fact]
    public async Task A_sender_waits_when_the_other_side_does_not_read_and_goes_on_when_it_is_aborted()
    {
        // Nobody takes the bytes out of the server's pipe, which takes all that comes; so its socket must be the one that stops.
        _server.Abort(new ConnectionAbortedException("the test"));
        var flushed = default(FlushResult);
        for (var i = 0; i < 10_000 && !flushed.IsCompleted; i++)
        {
            flushed = await _client.Transport.Output.WriteAsync(new byte[64 * 1024]).AsTask().WaitAsync(Hang);
        }

        Assert.True(flushed.IsCompleted);
    }

    [Fact]
    public async Task The_end_of_one_side_is_seen_by_the_other()
    {
        var closed = new TaskCompletionSource();
        _server.ConnectionClosed.Register(closed.SetResult);

        await _client.Transport.Output.WriteAsync(new byte[] { 7 });
        await _client.DisposeAsync();

        var read = await _server.Transport.Input.ReadAtLeastAsync(2).AsTask().WaitAsync(Hang).ContinueWith(static done => done.IsFaulted ? default : done.Result, TaskScheduler.Default);
        Assert.True(read.IsCompleted || read.Buffer.IsEmpty);
        await closed.Task.WaitAsync(Hang);
    }

    [Fact]
    public async Task Nobody_listening_is_the_error_the_framework_knows()
    {
        var nowhere = _listener.EndPoint;
        await _listener.UnbindAsync();

        await Assert.ThrowsAsync<SocketConnectionException>(async () => await _connections.ConnectAsync(nowhere));
        Assert.Null(await _listener.AcceptAsync());
    }
}
