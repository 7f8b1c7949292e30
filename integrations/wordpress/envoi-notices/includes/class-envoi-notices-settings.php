<?php
/**
 * Where Envoi is and with which key: one setting of the network, and the page on which it is changed.
 *
 * @package Envoi_Notices
 */

declare( strict_types=1 );

defined( 'ABSPATH' ) || exit;

/**
 * The secret may stand in wp-config.php instead, as ENVOI_NOTICES_SECRET; it is never shown.
 */
final class Envoi_Notices_Settings {
	public const OPTION = 'envoi_notices';
	private const ACTION = 'envoi_notices_save';

	/**
	 * The client, to say on the page whether Envoi answers.
	 *
	 * @var Envoi_Notices_Client
	 */
	private Envoi_Notices_Client $client;

	/**
	 * Put the page into the menu.
	 *
	 * @param Envoi_Notices_Client $client Asks Envoi.
	 */
	public function register( Envoi_Notices_Client $client ): void {
		$this->client = $client;
		add_action( is_multisite() ? 'network_admin_menu' : 'admin_menu', array( $this, 'add_page' ) );
		add_action( 'admin_post_' . self::ACTION, array( $this, 'save' ) );
	}

	/**
	 * Address of Envoi without a slash at the end; '' when it is not set.
	 */
	public function url(): string {
		return untrailingslashit( $this->stored( 'url' ) );
	}

	/**
	 * The site key.
	 */
	public function key(): string {
		return $this->stored( 'key' );
	}

	/**
	 * The secret of the site key.
	 */
	public function secret(): string {
		return defined( 'ENVOI_NOTICES_SECRET' ) ? (string) ENVOI_NOTICES_SECRET : $this->stored( 'secret' );
	}

	/**
	 * Whether there is anything to ask.
	 */
	public function complete(): bool {
		return '' !== $this->url() && '' !== $this->key() && '' !== $this->secret();
	}

	/**
	 * Add the page below Settings.
	 */
	public function add_page(): void {
		add_submenu_page(
			is_multisite() ? 'settings.php' : 'options-general.php',
			__( 'Envoi Notices', 'envoi-notices' ),
			__( 'Envoi Notices', 'envoi-notices' ),
			$this->capability(),
			'envoi-notices',
			array( $this, 'page' )
		);
	}

	/**
	 * The page.
	 */
	public function page(): void {
		?>
		<div class="wrap">
			<h1><?php esc_html_e( 'Envoi Notices', 'envoi-notices' ); ?></h1>
			<?php $this->tell_state(); ?>
			<form method="post" action="<?php echo esc_url( admin_url( 'admin-post.php' ) ); ?>">
				<input type="hidden" name="action" value="<?php echo esc_attr( self::ACTION ); ?>">
				<?php wp_nonce_field( self::ACTION ); ?>
				<table class="form-table" role="presentation">
					<tr>
						<th scope="row"><label for="envoi-url"><?php esc_html_e( 'Address of Envoi', 'envoi-notices' ); ?></label></th>
						<td><input name="url" id="envoi-url" type="url" class="regular-text" required placeholder="https://mail.example.org" value="<?php echo esc_attr( $this->url() ); ?>"></td>
					</tr>
					<tr>
						<th scope="row"><label for="envoi-key"><?php esc_html_e( 'Site key', 'envoi-notices' ); ?></label></th>
						<td><input name="key" id="envoi-key" type="text" class="regular-text code" required value="<?php echo esc_attr( $this->key() ); ?>"></td>
					</tr>
					<?php if ( ! defined( 'ENVOI_NOTICES_SECRET' ) ) : ?>
					<tr>
						<th scope="row"><label for="envoi-secret"><?php esc_html_e( 'Secret', 'envoi-notices' ); ?></label></th>
						<td>
							<input name="secret" id="envoi-secret" type="password" class="regular-text code" autocomplete="off" aria-describedby="envoi-secret-help">
							<p class="description" id="envoi-secret-help"><?php echo '' === $this->secret() ? esc_html__( 'Envoi shows it once, when the site key is made.', 'envoi-notices' ) : esc_html__( 'Kept, and not shown. Leave empty to keep it.', 'envoi-notices' ); ?></p>
						</td>
					</tr>
					<?php endif; ?>
				</table>
				<?php submit_button(); ?>
			</form>
		</div>
		<?php
	}

	/**
	 * Keep what was typed.
	 */
	public function save(): void {
		if ( ! current_user_can( $this->capability() ) ) {
			wp_die( esc_html__( 'You may not change this.', 'envoi-notices' ), '', array( 'response' => 403 ) );
		}
		check_admin_referer( self::ACTION );
		$secret = isset( $_POST['secret'] ) ? trim( sanitize_text_field( wp_unslash( $_POST['secret'] ) ) ) : '';
		update_site_option(
			self::OPTION,
			array(
				'url'    => isset( $_POST['url'] ) ? esc_url_raw( wp_unslash( $_POST['url'] ), array( 'http', 'https' ) ) : '',
				'key'    => isset( $_POST['key'] ) ? sanitize_key( wp_unslash( $_POST['key'] ) ) : '',
				'secret' => '' !== $secret ? $secret : $this->stored( 'secret' ),
			)
		);
		$parent = is_multisite() ? network_admin_url( 'settings.php' ) : admin_url( 'options-general.php' );
		wp_safe_redirect( add_query_arg( 'page', 'envoi-notices', $parent ) );
		exit;
	}

	/**
	 * Say whether Envoi answers with these settings.
	 */
	private function tell_state(): void {
		if ( ! $this->complete() ) {
			$this->tell( 'info', __( 'In Envoi, make a site key under Settings, Dashboards, and enter it here.', 'envoi-notices' ) );
			return;
		}
		$status = $this->client->try_out( wp_get_current_user() );
		if ( 200 === $status ) {
			$this->tell( 'success', __( 'Envoi answers.', 'envoi-notices' ) );
		} elseif ( 403 === $status ) {
			$this->tell( 'error', __( 'Envoi does not accept this key and secret. Is the clock of this server right?', 'envoi-notices' ) );
		} else {
			$this->tell( 'error', __( 'Envoi cannot be reached at this address.', 'envoi-notices' ) );
		}
	}

	/**
	 * One line above the form.
	 *
	 * @param string $level   Of the notice.
	 * @param string $message Plain text.
	 */
	private function tell( string $level, string $message ): void {
		printf( '<div class="notice notice-%s"><p>%s</p></div>', esc_attr( $level ), esc_html( $message ) );
	}

	/**
	 * Who may change it.
	 */
	private function capability(): string {
		return is_multisite() ? 'manage_network_options' : 'manage_options';
	}

	/**
	 * One value of the setting.
	 *
	 * @param string $name Its name.
	 */
	private function stored( string $name ): string {
		$all = get_site_option( self::OPTION, array() );
		return is_array( $all ) && isset( $all[ $name ] ) ? (string) $all[ $name ] : '';
	}
}
