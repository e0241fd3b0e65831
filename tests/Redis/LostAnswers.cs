using System.Net;
using System.Net.Sockets;
using KawaOrleans.Loopback;

namespace KawaOrleans.Tests.Redis;

/// <summary>Stands between a client and a server, and can lose what either says next: the connection breaks in the place of the lost words.</summary>
internal sealed class LostAnswers : IDisposable
{
    private readonly TcpListener _listener;
    private readonly int _server;
    private readonly CancellationTokenSource _stop = new();
    private volatile Loss _loss;

    private LostAnswers(int server)
    {
        _server = server;
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Start();
        _ = AcceptAsync();
    }

    public enum Loss
    {
        /// <summary>Everything arrives.</summary>
        None,

        /// <summary>The next request is lost.</summary>
        Request,

        /// <summary>The next request arrives, and its answer is lost.</summary>
        Answer,
    }

    public int Port { get; } = Ports.Take();

    public string Place => $"127.0.0.1:{Port}";

    public static LostAnswers Before(int server) => new(server);

    /// <summary>Loses what is said next, and then nothing more.</summary>
    public void LoseNext(Loss what) => _loss = what;

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _ = PassOnAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task PassOnAsync(TcpClient client)
    {
        using var server = new TcpClient();
        using (client)
        {
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _server, _stop.Token);
                await Task.WhenAny(
                    PassAsync(client.GetStream(), server.GetStream(), Loss.Request), PassAsync(server.GetStream(), client.GetStream(), Loss.Answer));
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
            {
                // The server is down: so is the connection.
            }
        }
    }

    private async Task PassAsync(NetworkStream from, NetworkStream to, Loss lost)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReadAsync(buffer, _stop.Token) is > 0 and var read)
            {
                if (_loss == lost)
                {
                    _loss = Loss.None;
                    return;
                }

                await to.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // One side is gone: so is the connection.
        }
    }
}
